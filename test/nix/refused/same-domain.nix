# refused: services.seawall.bots.one.expose.domain and services.seawall.bots.two.expose.domain are the same
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    expose.domain = "bots.example.com";
  };
  services.seawall.bots.two = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    port = 18790;
    expose.domain = "bots.example.com";
  };
}
