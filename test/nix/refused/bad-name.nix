# refused: services.seawall.bots.Two: a bot's name is at most 24 of a-z, 0-9 and -
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  services.seawall.bots.Two = {
    openclaw = "2026.9.6";
    model = "ollama/x";
    grants.ollama = { };
    port = 19000;
  };
}
