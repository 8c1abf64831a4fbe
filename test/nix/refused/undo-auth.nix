# refused: services.openclaw.extraGatewayConfig.gateway.auth is decided by Seawall
{
  services.openclaw.enable = true;
  services.openclaw.extraGatewayConfig.gateway.auth.mode = "none";
}
