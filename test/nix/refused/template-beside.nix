# refused: services.seawall.bots.one.agents.template
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    agents.repositories.path = "/srv/git";
    agents.template = "./template";
  };
}
