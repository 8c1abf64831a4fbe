# A lock's own `npm ci --ignore-scripts` as a fixed-output derivation: the hash of the whole tree is
# all that is pinned, so there is no list of addresses beside the lock, and any registry will do. The
# steps are those of src/openclaw/installTree.ts.
{
  lib,
  stdenvNoCC,
  nodejs,
  cacert,
}:
{
  pname,
  version,
  # Holds package.json and package-lock.json.
  project,
  # SRI hash of the NAR of the tree.
  hash,
  system,
  # What is removed of node_modules.
  without,
}:
let
  npm = builtins.fromJSON (builtins.readFile ../generated/npm.json);
in
assert lib.assertMsg (
  hash != lib.fakeHash
) "${pname} ${version} has a placeholder for a hash; make the pin anew: seawall pin VERSION";
stdenvNoCC.mkDerivation {
  pname = "${pname}-tree";
  inherit version;
  dontUnpack = true;
  dontFixup = true;
  nativeBuildInputs = [
    nodejs
    cacert
  ];
  impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "npm_config_registry" ];
  SSL_CERT_FILE = "${cacert}/etc/ssl/certs/ca-bundle.crt";
  buildPhase = ''
    export HOME=$PWD/home
    mkdir project
    cp ${project}/package.json ${project}/package-lock.json project/
    cd project
    npm ci ${lib.concatMapStringsSep " " lib.escapeShellArg npm.flags.${system}}
    cd node_modules
    rm -rf .package-lock.json ${lib.concatMapStringsSep " " lib.escapeShellArg without}
    cd ..
  '';
  installPhase = ''
    mkdir "$out"
    mv node_modules "$out/node_modules"
  '';
  outputHashMode = "recursive";
  outputHash = hash;
  meta = {
    description = "Installed packages of ${pname}, by hash";
    platforms = [ system ];
  };
}
