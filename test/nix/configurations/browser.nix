# A bot that reads pages, by a Chromium of its own and the gate before it.
{
  services.seawall = {
    enable = true;
    secrets.anthropic.file = "/run/secrets/anthropic";
    bots.reader = {
      openclaw = "2026.9.6";
      model = "anthropic/claude-sonnet-4-6";
      grants.anthropic.secret = "anthropic";
      grants.browser-fetch.allowHosts = [ "*.wikipedia.org" ];
      exec.allow = [ "browser-fetch" ];
    };
  };
}
