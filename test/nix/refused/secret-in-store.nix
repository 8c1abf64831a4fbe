# refused: A definition for option `services.seawall.secrets.other.file' is not of type `null or path of a file outside of the Nix store
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  services.seawall.secrets.other.file = builtins.storeDir + "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-key";
}
