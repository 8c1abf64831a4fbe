# Bots with and without plugins, from a registry of the owner's.
{
  services.seawall = {
    enable = true;
    npmRegistry = "https://npm.example.com:8443/all/";
    secrets.chat.file = "/run/secrets/chat";
    bots.clerk = {
      openclaw = "2026.9.6";
      model = "ollama/qwen3:8b";
      port = 3001;
      grants.ollama = { };
      grants.mattermost.secret = "chat";
      grants.mattermost.url = "https://chat.example.com";
      plugins = [ "@openclaw/matrix" ];
    };
    bots.reader = {
      openclaw = "2026.9.6";
      model = "ollama/qwen3:8b";
      port = 3002;
      grants.ollama = { };
    };
  };
}
