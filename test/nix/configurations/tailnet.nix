# A bot in the tailnet, with a client command.
{
  services.tailscale.enable = true;
  services.seawall = {
    enable = true;
    secrets.brave.file = "/run/secrets/brave";
    bots.ada = {
      openclaw = "2026.9.6";
      model = "ollama/qwen3:8b";
      expose.tailscale = true;
      grants.ollama = { };
      grants.brave.secret = "brave";
      exec.allow = [ "brave-search" ];
    };
  };
}
