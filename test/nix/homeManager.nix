# home-manager itself, as a folder, with one bot on a machine of this system.
{
  nixpkgs,
  folder,
  system,
  overlays ? [ ],
  concessions ? [ ],
}:
(import (folder + "/modules") {
  pkgs = import nixpkgs {
    inherit system;
    overlays = [ (import ../../nix/overlay.nix) ] ++ overlays;
  };
  configuration = {
    imports = [ ../../nix/home-manager/seawall.nix ];
    home.username = "someone";
    home.homeDirectory = "/home/someone";
    home.stateVersion = "25.11";
    manual.manpages.enable = false;
    services.seawall = {
      enable = true;
      secrets.anthropic.file = "/run/user/1000/anthropic";
      bots.one = {
        openclaw = "2026.9.6";
        model = "anthropic/claude-sonnet-4-6";
        grants.anthropic.secret = "anthropic";
        inherit concessions;
      };
    };
  };
}).config
