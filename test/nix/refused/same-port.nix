# refused: services.seawall.bots.one.port and services.seawall.bots.two.port are the same, 18789
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
  };
  services.seawall.bots.two = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
  };
}
