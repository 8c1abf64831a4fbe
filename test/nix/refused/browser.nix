# refused: services.seawall.bots.one.grants."browser-fetch" is a program that services can't reach on NixOS yet
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    grants.ollama = { };
    grants.browser-fetch.allowHosts = [ "*.wikipedia.org" ];
  };
}
