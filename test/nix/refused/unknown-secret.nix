# refused: services.seawall.bots.one.grants."telegram".secret names "telegram", which services.seawall.secrets doesn't have
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
    grants.telegram.secret = "telegram";
  };
}
