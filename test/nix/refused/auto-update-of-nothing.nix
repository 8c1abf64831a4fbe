# refused: services.openclaw.autoUpdate.flake is missing
{
  services.openclaw.enable = true;
  services.openclaw.autoUpdate.enable = true;
}
