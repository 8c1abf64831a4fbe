# refused: services.seawall.bots.two.openclaw: OpenClaw 2025.1.1 is not pinned
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  services.seawall.bots.two = {
    openclaw = "2025.1.1";
    model = "ollama/x";
    grants.ollama = { };
    port = 19000;
  };
}
