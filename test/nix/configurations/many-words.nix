# Services of its own, rules in all forms, limits, a record, and secrets from everywhere.
{ pkgs, ... }:
{
  services.seawall = {
    enable = true;
    secrets = {
      anthropic.vault = "anthropic";
      github.systemdCredential = "github";
      sonarr.file = "/run/secrets/sonarr";
    };
    services.prowlarr = {
      hosts = [ "http://10.0.0.5:8989" ];
      credential = [ { header = "X-Api-Key"; } ];
      phantom = "{hex:32}";
      variable = "PROWLARR_API_KEY";
      allow = [ "GET /api/v3/**" ];
    };
    bots.a-bot-with-a-long-name-x = {
      openclaw = "2026.9.6";
      model = "anthropic/claude-sonnet-4-6";
      grants = {
        anthropic = {
          secret = "anthropic";
          limits.dollarsPerDay = 2.5;
        };
        prowlarr = {
          secret = "sonarr";
          allow = [
            "..."
            {
              call = "POST /api/v3/command";
              query.name = "refresh";
            }
          ];
        };
        github = {
          secret = "github";
          allow = [
            {
              git = "example/notes";
              access = "read";
            }
          ];
        };
        "imap.example.com".tcp = [
          993
          465
        ];
      };
      exec.packages = [ pkgs.jq ];
      unknownHosts = "ask";
      settings.agents.defaults.maxConcurrent = 1;
      settings.messages.responsePrefix = null;
    };
    audit.rotateBytes = "64M";
    approvals.waitMinutes = 10;
  };
}
