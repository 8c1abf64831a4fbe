# OpenClaw's own command line, from the latest pin. Bots are services (services.seawall); this is for looking.
{
  lib,
  pkgs,
  runCommand,
  nodejs_24,
}:
let
  trees = import ./openclaw-trees.nix { inherit lib pkgs; };
  version = lib.last (builtins.sort lib.versionOlder (builtins.attrNames trees));
  pin = builtins.fromJSON (builtins.readFile (../../pins/openclaw + "/${version}/pin.json"));
in
runCommand "openclaw-${version}"
  {
    pname = "openclaw";
    inherit version;
    passthru = {
      tree = trees.${version};
      inherit trees;
    };
    meta = {
      description = "AI agents in the chats that you use";
      homepage = "https://openclaw.ai";
      license = lib.licenses.mit;
      mainProgram = "openclaw";
      platforms = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
        "x86_64-darwin"
      ];
      sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
    };
  }
  ''
    mkdir -p "$out/bin"
    substitute ${./openclaw.sh} "$out/bin/openclaw" \
      --subst-var-by shell ${pkgs.runtimeShell} \
      --subst-var-by node ${nodejs_24}/bin/node \
      --subst-var-by entry ${trees.${version}}/${pin.entry}
    chmod 0555 "$out/bin/openclaw"
  ''
