# refused: A definition for option `services.openclaw.modelApiKeyFile' is not of type
{
  services.openclaw.enable = true;
  services.openclaw.modelApiKeyFile = ./key;
}
