# services.seawall of home-manager: one user's bots on Linux, without root, run by `seawall up`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.seawall;
  types = import ../modules/types.nix { inherit lib; };
  declared = import ../modules/declaration.nix { inherit lib; };
  declaration = builtins.toJSON (declared.declarationOf cfg);
  seawall = "${cfg.package}/bin/seawall";
  inherit (pkgs.stdenv.hostPlatform) isLinux;
  file = "${config.xdg.configHome}/seawall/seawall.json5";
in
{
  options.services.seawall = {
    enable = lib.mkEnableOption "this user's OpenClaw bots, which hold none of your keys";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.seawall or (pkgs.callPackage ../packages/seawall.nix { });
      defaultText = lib.literalExpression "pkgs.seawall";
      description = "Seawall itself.";
    };

    declaration = lib.mkOption {
      type = types.json;
      readOnly = true;
      internal = true;
      default = declared.declarationOf cfg;
      description = "The declaration that these options say.";
    };
  }
  // import ../generated/options.nix { inherit lib types; };

  config = lib.mkIf cfg.enable (lib.mkMerge [
    {
      assertions =
        declared.assertionsOf {
          inherit cfg;
          place = "services.seawall";
          # The keyring and age are this user's to open.
          boot = false;
          versions = builtins.attrNames (
            lib.filterAttrs (_: type: type == "directory") (builtins.readDir ../../pins/openclaw)
          );
        }
        ++ [
          {
            assertion = isLinux;
            message = "services.seawall.enable: bots run on Linux only; nothing of Seawall's holds one on macOS yet, and what can't be held isn't started";
          }
        ];
    }
    # Elsewhere there is no package either.
    (lib.mkIf isLinux {
      home.packages = [ cfg.package ];
      xdg.configFile."seawall/seawall.json5".text = declaration;

      systemd.user.services.seawall = {
        Unit = {
          Description = "Seawall: OpenClaw bots that hold none of your keys";
          # What a new declaration changes is applied, and nothing else is restarted.
          X-SwitchMethod = "reload";
          X-Restart-Triggers = builtins.hashString "sha256" declaration;
        };
        Service = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${seawall} up ${file}";
          ExecReload = "${seawall} up ${file}";
          ExecStop = "${seawall} down";
          # It may install OpenClaw first.
          TimeoutStartSec = "30min";
        };
        Install.WantedBy = [ "default.target" ];
      };
    })
  ]);
}
