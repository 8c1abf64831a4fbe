# Every option of openclaw-nix.
{
  services.openclaw = {
    enable = true;
    domain = "agents.example.com";
    gatewayPort = 3001;
    authTokenFile = "/var/lib/openclaw/token";
    toolSecurity = "allowlist";
    toolAllowlist = [
      "read"
      "message"
    ];
    modelProvider = "anthropic";
    modelApiKeyFile = "/run/secrets/anthropic-api-key";
    telegram = {
      enable = true;
      tokenFile = "/run/secrets/telegram-bot-token";
    };
    autoUpdate = {
      enable = true;
      schedule = "daily";
      flake = "github:example/machines#agents";
    };
    openFirewall = false;
    extraGatewayConfig.agents.defaults.maxConcurrent = 2;
  };
}
