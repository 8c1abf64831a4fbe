{
  description = "OpenClaw bots that hold none of their owner's keys";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      # Never run there; see docs/macos.md.
      mac = [
        "aarch64-darwin"
        "x86_64-darwin"
      ];
      forSystems = systems: f: lib.genAttrs systems (system: f (nixpkgs.legacyPackages.${system}.extend self.overlays.default));
      forEach = forSystems (linux ++ mac);
    in
    {
      overlays.default = import ./nix/overlay.nix;

      packages = forEach (pkgs: {
        inherit (pkgs) seawall openclaw;
        default = pkgs.seawall;
      });

      # `nix run SEAWALL#quick-setup`: the dialogue of `seawall init`, which writes a flake.
      apps = forEach (pkgs: {
        quick-setup = {
          type = "app";
          program = "${pkgs.writeShellScript "seawall-quick-setup" ''
            exec ${pkgs.seawall}/bin/seawall init --flake "$@"
          ''}";
          meta.description = "Asks what a bot needs and writes a flake for its machine";
        };
      });

      nixosModules = {
        default = {
          imports = [ ./nix/modules ];
          nixpkgs.overlays = [ self.overlays.default ];
        };
        seawall = self.nixosModules.default;
      };

      homeModules.default = import ./nix/home-manager/seawall.nix;

      checks = forSystems linux (pkgs: {
        inherit (pkgs) seawall;
        vm = import ./nix/tests/turn.nix { inherit pkgs; };
      });

      templates.default = {
        path = ./nix/template;
        description = "One machine for OpenClaw bots, from one command";
        welcomeText = ''
          Next:
          - in `flake.nix`, say where you have Seawall from
          - in `machine.nix`, your SSH key, the disk and your bots
          - `docs/nixos.md` of Seawall, "A whole machine", has the rest
        '';
      };
    };
}
