# refused: services.openclaw.modelProvider: "acme" is no provider that Seawall knows
{
  services.openclaw.enable = true;
  services.openclaw.modelProvider = "acme";
}
