# services.seawall of home-manager: one user's bots, without root, run by `seawall up`; by systemd on Linux, and
# by launchd on macOS.
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
  inherit (pkgs.stdenv.hostPlatform) isDarwin isLinux;
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
        };
      home.packages = [ cfg.package ];
      xdg.configFile."seawall/seawall.json5".text = declaration;
    }
    (lib.mkIf isDarwin {
      # There are no namespaces, so a bot has to do without and say so.
      assertions = lib.mapAttrsToList (name: bot: {
        assertion = builtins.elem "no-user-namespaces" (bot.concessions or [ ]);
        message = "services.seawall.bots.${name}.concessions: macOS has no user namespaces; say [ \"no-user-namespaces\" ] if the bot may run with what Seatbelt holds (docs/macos.md)";
      }) cfg.bots;

      # As `seawall build --target launchd` prints it.
      launchd.agents.seawall = {
        enable = true;
        config = {
          ProgramArguments = [
            seawall
            "up"
            "--stay"
            # A new declaration is another path, so that the agent is started anew.
            "${pkgs.writeText "seawall.json5" declaration}"
          ];
          RunAtLoad = true;
          KeepAlive = true;
          ThrottleInterval = 30;
          ExitTimeOut = 60;
          ProcessType = "Background";
          Umask = 63;
          StandardOutPath = "${config.home.homeDirectory}/Library/Logs/seawall.log";
          StandardErrorPath = "${config.home.homeDirectory}/Library/Logs/seawall.log";
        };
      };
    })
    (lib.mkIf isLinux {
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
