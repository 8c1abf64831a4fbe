# One configuration, by our own lib. `nix-instantiate --eval --strict --json` prints what it makes.
configuration:
let
  lib = import ./lib.nix;
  nixos = import ./nixos.nix { inherit lib; };
  config =
    (lib.evalModules {
      modules = [
        nixos.module
        ../../nix/modules
        configuration
      ];
      specialArgs = {
        inherit (nixos) pkgs;
      };
    }).config;
in
import ./facts.nix { inherit config lib; }
