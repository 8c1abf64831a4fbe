# refused: services.openclaw.telegram.tokenFile is missing
{
  services.openclaw.enable = true;
  services.openclaw.telegram.enable = true;
}
