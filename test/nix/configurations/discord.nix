# A channel that is a plugin, in the words of openclaw-nix.
{
  services.openclaw.enable = true;
  services.openclaw.discord.enable = true;
  services.openclaw.discord.tokenFile = "/run/secrets/discord";
}
