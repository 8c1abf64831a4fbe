# services.openclaw: one bot in the words of openclaw-nix, behind Seawall's wall.
{ config, lib, ... }:
let
  cfg = config.services.openclaw;
  types = import ./types.nix { inherit lib; };
  declared = import ./declaration.nix { inherit lib; };
  inherit (lib) mkOption;

  bot = "openclaw";
  keyFile = "/var/lib/seawall/model-key";
  model = declared.catalogue.models.${cfg.modelProvider} or null;

  # What openclaw-nix's users may have set, and what decides it here.
  owned = builtins.filter (path: lib.attrByPath path null cfg.extraGatewayConfig != null) (
    declared.catalogue.ownedSettings
  );

  given =
    option: file: {
      assertion = file != null;
      message = "services.openclaw.${option} is missing: name the file that holds it, as agenix or sops-nix makes it";
    };
in
{
  options.services.openclaw = {
    enable = lib.mkEnableOption "an OpenClaw bot that holds none of its owner's keys";

    domain = mkOption {
      type = lib.types.str;
      default = "";
      example = "agents.example.com";
      description = "Public host name, which gets TLS from Caddy; nothing is reached from outside without.";
    };

    gatewayPort = mkOption {
      type = lib.types.port;
      default = 3000;
      description = "The gateway's port on 127.0.0.1.";
    };

    authTokenFile = mkOption {
      type = types.outsideStore;
      default = "/var/lib/openclaw/auth-token";
      description = "Where the gateway's token can be read by root. It is made at the first start; what lies there before is taken over.";
    };

    toolSecurity = mkOption {
      type = lib.types.enum [
        "deny"
        "allowlist"
      ];
      default = "allowlist";
      description = "Whether the agent may call the tools of toolAllowlist, or none.";
    };

    toolAllowlist = mkOption {
      type = lib.types.listOf lib.types.str;
      default = [
        "read"
        "write"
        "edit"
        "web_search"
        "web_fetch"
        "message"
        "tts"
      ];
      description = "Tools that the agent may call.";
    };

    modelProvider = mkOption {
      type = lib.types.str;
      default = "anthropic";
      description = "Whose model the agent thinks with: ${lib.concatStringsSep ", " (builtins.attrNames declared.catalogue.models)}.";
    };

    model = mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "anthropic/claude-sonnet-4-6";
      description = "The model, as provider/model; the provider's usual one if left out.";
    };

    modelApiKeyFile = mkOption {
      type = lib.types.nullOr types.outsideStore;
      default = null;
      description = "File with the provider's key. The broker reads it, and the bot never does. Without it the key is looked for in ${keyFile}, and as long as that is empty, calls to the model are refused.";
    };

    telegram.enable = lib.mkEnableOption "the Telegram channel";
    telegram.tokenFile = mkOption {
      type = lib.types.nullOr types.outsideStore;
      default = null;
      description = "File with the Telegram bot's token, read by the broker.";
    };

    discord.enable = lib.mkEnableOption "the Discord channel";
    discord.tokenFile = mkOption {
      type = lib.types.nullOr types.outsideStore;
      default = null;
      description = "File with the Discord bot's token, read by the broker.";
    };

    autoUpdate.enable = lib.mkEnableOption "building the system anew from its flake on a schedule, with every error shown";
    autoUpdate.schedule = mkOption {
      type = lib.types.str;
      default = "weekly";
      description = "When, as systemd.time(7) has it.";
    };
    autoUpdate.flake = mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "github:example/machines#agents";
      description = "The flake that this machine is built from, as for services.seawall.autoUpdate.flake.";
    };

    openFirewall = mkOption {
      type = lib.types.bool;
      default = true;
      description = "Open port 443 where there is a domain.";
    };

    extraGatewayConfig = mkOption {
      type = lib.types.attrsOf types.json;
      default = { };
      description = "Further settings of OpenClaw. None can undo what the wall and authentication depend on.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = model != null;
        message = ''services.openclaw.modelProvider: "${cfg.modelProvider}" is no provider that Seawall knows; there are: ${lib.concatStringsSep ", " (builtins.attrNames declared.catalogue.models)}'';
      }
      {
        assertion = cfg.model != null || model == null || model.usual != null;
        message = "services.openclaw.model is missing: there is no usual model of ${cfg.modelProvider}";
      }
      {
        assertion = owned == [ ];
        message = "services.openclaw.extraGatewayConfig.${lib.concatStringsSep "." (builtins.head (owned ++ [ [ ] ]))} is decided by Seawall, since the wall and authentication depend on it; leave it out";
      }
      {
        assertion = cfg.autoUpdate.enable -> cfg.autoUpdate.flake != null;
        message = "services.openclaw.autoUpdate.flake is missing: say which flake this machine is built from";
      }
    ]
    ++ lib.optional cfg.telegram.enable (given "telegram.tokenFile" cfg.telegram.tokenFile)
    ++ lib.optional cfg.discord.enable (given "discord.tokenFile" cfg.discord.tokenFile);

    services.seawall = {
      enable = true;
      openFirewall = cfg.openFirewall;
      autoUpdate = lib.mkIf (cfg.autoUpdate.flake != null) cfg.autoUpdate;
      tokenFiles.${bot} = cfg.authTokenFile;
      secrets =
        lib.optionalAttrs (model != null && !model.keyless) {
          model.file = if cfg.modelApiKeyFile != null then cfg.modelApiKeyFile else keyFile;
        }
        // lib.optionalAttrs (cfg.telegram.enable && cfg.telegram.tokenFile != null) {
          telegram.file = cfg.telegram.tokenFile;
        }
        // lib.optionalAttrs (cfg.discord.enable && cfg.discord.tokenFile != null) {
          discord.file = cfg.discord.tokenFile;
        };
      bots.${bot} = {
        openclaw = declared.catalogue.latest;
        model = if cfg.model != null then cfg.model else (if model == null || model.usual == null then "none/none" else model.usual);
        port = cfg.gatewayPort;
        tools.allow = if cfg.toolSecurity == "deny" then [ ] else cfg.toolAllowlist;
        expose = lib.mkIf (cfg.domain != "") { inherit (cfg) domain; };
        settings = cfg.extraGatewayConfig;
        grants =
          lib.optionalAttrs (model != null) {
            ${model.service} = lib.optionalAttrs (!model.keyless) { secret = "model"; };
          }
          // lib.optionalAttrs (cfg.telegram.enable && cfg.telegram.tokenFile != null) {
            telegram.secret = "telegram";
          }
          // lib.optionalAttrs (cfg.discord.enable && cfg.discord.tokenFile != null) {
            discord.secret = "discord";
          };
      };
    };

    # Where no file is named the key may be put; until then there is none, and calls to the model are refused.
    systemd.tmpfiles.rules = lib.optional (
      model != null && !model.keyless && cfg.modelApiKeyFile == null
    ) "f ${keyFile} 0600 root root -";
  };
}
