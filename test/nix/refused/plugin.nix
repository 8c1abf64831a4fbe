# refused: services.seawall.bots.one.plugins: services can't get plugins on NixOS yet
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    plugins = [ "@openclaw/matrix" ];
  };
}
