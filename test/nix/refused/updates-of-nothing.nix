# refused: services.seawall.autoUpdate.flake is missing
{
  services.seawall.enable = true;
  services.seawall.autoUpdate.enable = true;
}
