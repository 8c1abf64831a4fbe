# Every pinned OpenClaw by version, as its pin has it: `pins/openclaw` is the only list.
{ lib, pkgs }:
let
  pins = ../../pins/openclaw;
  npm = builtins.fromJSON (builtins.readFile ../generated/npm.json);
  npmTree = pkgs.callPackage ./npm-tree.nix { nodejs = pkgs.nodejs_24; };
  satisfies = import ./node-range.nix { inherit lib; };
  inherit (pkgs.stdenv.hostPlatform) system;
  platform = npm.platforms.${system} or (throw "OpenClaw is pinned for ${lib.concatStringsSep ", " (builtins.attrNames npm.platforms)}, and this is ${system}");
in
builtins.mapAttrs (
  version: _:
  let
    pin = builtins.fromJSON (builtins.readFile (pins + "/${version}/pin.json"));
  in
  assert lib.assertMsg (satisfies pkgs.nodejs_24.version pin.node)
    "OpenClaw ${version} needs Node ${pin.node}, and nodejs_24 is ${pkgs.nodejs_24.version}; take a newer nixpkgs";
  npmTree {
    pname = "openclaw";
    inherit version system;
    project = pins + "/${version}";
    hash = pin.narHash.${platform};
    # A note that install scripts have not run (src/openclaw/installTree.ts).
    without = [ "openclaw/.openclaw-lifecycle-pending" ];
  }
) (lib.filterAttrs (name: type: type == "directory") (builtins.readDir pins))
