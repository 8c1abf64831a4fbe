# Bots with agents, whose template is a folder and whose skills are another flake's, that write to each other;
# built anew every week.
{ pkgs, ... }:
let
  bot = port: to: {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    inherit port;
    grants.anthropic.secret = "anthropic";
    grants.bridge.to = [ to ];
    exec.packages = [ pkgs.gnugrep ];
    exec.allow = [ "grep" ];
  };
in
{
  services.seawall = {
    enable = true;
    secrets = {
      anthropic.file = "/run/secrets/anthropic";
      gitea.file = "/run/secrets/gitea";
      maker.file = "/run/secrets/gitea-maker";
    };
    bots.operator = bot 3001 "clerk" // {
      grants = (bot 3001 "clerk").grants // {
        gitea = {
          secret = "gitea";
          url = "https://git.example.com";
        };
      };
      agents = {
        repositories.gitea.owner = "nixclaw";
        repositories.gitea.secret = "maker";
        template = "/etc/seawall-template";
        skills = pkgs.jq;
      };
    };
    bots.clerk = bot 3002 "operator" // {
      agents.repositories.path = "/srv/git";
    };
    autoUpdate.enable = true;
    autoUpdate.flake = "github:example/machines#agents";
  };
}
