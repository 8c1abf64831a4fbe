# refused: services.seawall.bots.one.grants."mattermost" takes a plugin, which services can't get on NixOS yet
{
  services.seawall.enable = true;
  services.seawall.secrets.chat.file = "/run/secrets/chat";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    grants.mattermost.secret = "chat";
    grants.mattermost.url = "https://chat.example.com";
  };
}
