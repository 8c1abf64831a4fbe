# refused: services.seawall.bots.one.expose.tailscale needs services.tailscale.enable
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    expose.tailscale = true;
  };
  services.tailscale.enable = false;
}
