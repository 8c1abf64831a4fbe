# A flake that `seawall init --flake` wrote, with Seawall's own flake and our library in place of nixpkgs.
{ folder, system ? "x86_64-linux" }:
let
  lib = import ./lib.nix;
  nixos = import ./nixos.nix { inherit lib; };
  pkgs = nixos.pkgs // {
    extend = _: pkgs;
    # A script is its text.
    writeShellScript = _: text: text;
  };
  nixpkgs = {
    legacyPackages = lib.genAttrs [
      "x86_64-linux"
      "aarch64-linux"
    ] (_: pkgs);
    lib = lib // {
      nixosSystem =
        { system, modules }:
        {
          inherit system;
          inherit
            (lib.evalModules {
              modules = [ nixos.module ] ++ modules;
              specialArgs = { inherit pkgs; };
            })
            config
            ;
        };
    };
  };
  seawall = (import ../../flake.nix).outputs {
    self = seawall;
    inherit nixpkgs;
  };
  written = import (folder + "/flake.nix");
  # Modules of others: their options take anything in `nixos.module`.
  inputs = {
    inherit nixpkgs seawall;
    agenix.nixosModules.default = { };
    sops-nix.nixosModules.sops = { };
  };
  wanted = builtins.attrNames written.inputs;
  outputs = written.outputs ({ self = outputs; } // lib.genAttrs wanted (name: inputs.${name}));
in
{
  app = seawall.apps.${system}.quick-setup;
  inputs = wanted;
  urls = builtins.mapAttrs (_: input: input.url) written.inputs;
  machines = builtins.mapAttrs (_: machine: {
    inherit (machine) system;
    inherit (machine.config.networking) hostName;
    overlays = builtins.length machine.config.nixpkgs.overlays;
    agenix = builtins.mapAttrs (_: secret: toString secret.file) machine.config.age.secrets;
    sops = builtins.attrNames machine.config.sops.secrets;
    facts = import ./facts.nix {
      inherit (machine) config;
      inherit lib;
    };
  }) outputs.nixosConfigurations;
}
