# refused: services.openclaw.model is missing: there is no usual model of openai
{
  services.openclaw.enable = true;
  services.openclaw.modelProvider = "openai";
}
