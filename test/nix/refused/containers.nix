# refused: services.seawall.bots.basecamp.agents.podman: units don't start containers
{
  services.seawall = {
    enable = true;
    bots.basecamp = {
      openclaw = "2026.9.6";
      model = "ollama/x";
      grants.ollama = { };
      agents = {
        repositories.path = "/srv/git";
        tools = "podman";
        podman.image = "sha256:6b29000000000000000000000000000000000000000000000000000000000000";
      };
    };
  };
}
