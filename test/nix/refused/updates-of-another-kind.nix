# refused: services.seawall.autoUpdate.calendar
{
  services.seawall.enable = true;
  services.seawall.autoUpdate.calendar = "weekly";
}
