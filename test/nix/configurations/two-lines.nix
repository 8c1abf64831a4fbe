# Nothing but these.
{
  services.openclaw.enable = true;
  services.openclaw.domain = "agents.example.com";
}
