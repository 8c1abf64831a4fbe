# refused: services.seawall.bots.one.expose says both or neither of domain and tailscale
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    expose.domain = "bots.example.com";
    expose.tailscale = true;
  };
  services.tailscale.enable = true;
}
