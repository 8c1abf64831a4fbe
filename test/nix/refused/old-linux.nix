# refused: boot.kernelPackages: services.seawall needs Linux 6.12 or later for all of Landlock
{ pkgs, ... }:
{
  services.openclaw.enable = true;
  boot.kernelPackages = pkgs.linuxPackages_6_6 or { kernel.version = "6.6.30"; };
}
