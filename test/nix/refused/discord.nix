# refused: services.openclaw.discord.enable: OpenClaw doesn't bundle this channel, and services can't get plugins on NixOS yet
{
  services.openclaw.enable = true;
  services.openclaw.discord.enable = true;
  services.openclaw.discord.tokenFile = "/run/secrets/discord";
}
