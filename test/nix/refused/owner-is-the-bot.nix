# refused: age.secrets."anthropic".owner is "seawall-one", the user of bot "one"
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  age.secrets.anthropic.owner = "seawall-one";
}
