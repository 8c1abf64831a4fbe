# What you choose. host.nix has what follows from it.
{
  agentsHost = {
    hostName = "agents";
    admin = "admin";
    # Your public SSH keys. Nobody logs in with a password.
    keys = [ ];
    disk = "/dev/vda";
    tailscale = true;
  };

  sops.defaultSopsFile = ./secrets.yaml;
  sops.secrets.anthropic = { };
  sops.secrets.brave = { };

  services.seawall = {
    enable = true;
    secrets.anthropic.file = "/run/secrets/anthropic";
    secrets.brave.file = "/run/secrets/brave";
    bots.operator = {
      openclaw = "2026.9.6";
      model = "anthropic/claude-sonnet-4-6";
      grants = {
        anthropic.secret = "anthropic";
        brave.secret = "brave";
      };
      tools.allow = [
        "read"
        "write"
        "edit"
        "web_search"
        "message"
      ];
      # What `just new-agent` makes. Agents are no part of the system: none of them takes a deploy.
      agents = {
        # On this disk. With a Gitea of yours instead, whose token the broker keeps:
        #   grants.gitea = { secret = "gitea"; url = "https://git.example.com"; };
        #   agents.repositories.gitea.owner = "nixclaw";
        repositories.path = "/srv/git";
        template = ./workspace;
        shared = ./shared;
      };
    };
  };
}
