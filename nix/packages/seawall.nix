# Seawall itself: its sources, which run unbuilt, the packages of its lock, and the launcher.
{
  lib,
  pkgs,
  stdenv,
  nodejs_24,
  makeWrapper,
  bubblewrap,
  git,
}:
let
  manifest = builtins.fromJSON (builtins.readFile ../../package.json);
  pinned = builtins.fromJSON (builtins.readFile ../generated/seawall-tree.json);
  npm = builtins.fromJSON (builtins.readFile ../generated/npm.json);
  satisfies = import ./node-range.nix { inherit lib; };
  inherit (stdenv.hostPlatform) system;
  tree = (pkgs.callPackage ./npm-tree.nix { nodejs = nodejs_24; }) {
    pname = "seawall";
    inherit (manifest) version;
    inherit system;
    project = lib.fileset.toSource {
      root = ../..;
      fileset = lib.fileset.unions [
        ../../package.json
        ../../package-lock.json
      ];
    };
    hash = pinned.narHash.${npm.platforms.${system} or (throw "Seawall runs on Linux and macOS, x86_64 and aarch64")};
    # The Node that runs it is nixpkgs'.
    without = pinned.without;
  };
in
assert lib.assertMsg (satisfies nodejs_24.version manifest.engines.node)
  "Seawall needs Node ${manifest.engines.node}, and nodejs_24 is ${nodejs_24.version}; take a newer nixpkgs";
stdenv.mkDerivation {
  pname = "seawall";
  inherit (manifest) version;
  src = lib.fileset.toSource {
    root = ../..;
    fileset = lib.fileset.unions [
      ../../package.json
      ../../LICENSE
      ../../native
      ../../pins
      ../../schema
      ../../src
    ];
  };
  nativeBuildInputs = [
    makeWrapper
    nodejs_24
  ];
  buildInputs = lib.optional stdenv.hostPlatform.isLinux (stdenv.cc.libc.static or stdenv.cc.libc);
  dontConfigure = true;
  # The launcher is static, and Node's addons are as npm has them.
  dontStrip = true;
  dontPatchELF = true;
  # On macOS the system's own sandbox-exec is all there is.
  buildPhase =
    if stdenv.hostPlatform.isLinux then
      ''
        make -C native OUT="$PWD/build"
      ''
    else
      "mkdir build";
  installPhase = ''
    home=$out/lib/seawall
    mkdir -p "$home/broker-cache" "$out/bin"
    cp -r package.json LICENSE native pins schema src build "$home/"
    ln -s ${tree}/node_modules "$home/node_modules"
    # All that the wall round a bot's browser shows of this.
    node "$home/src/host/described/copyBrowser.ts" "$home/browser"
    makeWrapper ${nodejs_24}/bin/node "$out/bin/seawall" \
      --add-flags "$home/src/cli/start.cjs" \
      --suffix PATH : ${
        lib.makeBinPath (
          lib.optional stdenv.hostPlatform.isLinux bubblewrap
          ++ [
            git
            nodejs_24
          ]
        )
      }
  '';
  meta = {
    description = manifest.description;
    license = lib.licenses.mit;
    mainProgram = "seawall";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
      "aarch64-darwin"
      "x86_64-darwin"
    ];
    sourceProvenance = [ lib.sourceTypes.fromSource ];
  };
}
