# refused: services.seawall.bots.one.port is 18789, which services.seawall.telemetry.metricsPort takes
{
  services.seawall.enable = true;
  services.seawall.secrets.anthropic.file = "/run/secrets/anthropic";
  services.seawall.bots.one = {
    openclaw = "2026.9.6";
    model = "anthropic/claude-sonnet-4-6";
    grants.anthropic.secret = "anthropic";
  };
  services.seawall.telemetry.metricsPort = 18789;
}
