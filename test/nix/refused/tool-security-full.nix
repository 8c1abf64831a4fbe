# refused: A definition for option `services.openclaw.toolSecurity' is not of type
{
  services.openclaw.enable = true;
  services.openclaw.toolSecurity = "full";
}
