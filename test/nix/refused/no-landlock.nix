# refused: security.lsm lacks "landlock", which services.seawall needs
{ lib, ... }:
{
  services.openclaw.enable = true;
  security.lsm = lib.mkForce [ "yama" ];
}
