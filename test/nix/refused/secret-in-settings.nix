# refused: services.seawall.bots.one.settings.messages.responsePrefix holds what looks like a secret
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
    settings.messages.responsePrefix = "1234567890:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  };
}
