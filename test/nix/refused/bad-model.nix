# refused: A definition for option `services.seawall.bots.one.model' is not of type
{
  services.seawall.enable = true;
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "the best one";
    grants.ollama = { };
  };
}
