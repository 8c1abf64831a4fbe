# refused: services.seawall.secrets.other.keyring: services can't read such a store when the machine boots
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  services.seawall.secrets.other.keyring = "other";
}
