# A bot in the tailnet that writes to another; each has a client command.
{
  services.tailscale.enable = true;
  services.seawall = {
    enable = true;
    bots.ada = {
      openclaw = "2026.9.6";
      model = "ollama/qwen3:8b";
      port = 3001;
      expose.tailscale = true;
      grants.ollama = { };
      grants.bridge.to = [ "bob" ];
    };
    bots.bob = {
      openclaw = "2026.9.6";
      model = "ollama/qwen3:8b";
      port = 3002;
      grants.ollama = { };
      grants.bridge.to = [ "ada" ];
    };
  };
}
