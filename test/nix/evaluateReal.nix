# The same by real nixpkgs. `nixpkgs` is its folder; the version has to be new enough for Linux 6.12.
{
  nixpkgs,
  extra ? [ ],
}:
configuration:
let
  # A copy without its largest files can do without what it would check scripts with.
  whole = builtins.pathExists (nixpkgs + "/pkgs/development/haskell-modules/hackage-packages.nix");
  system = import (nixpkgs + "/nixos/lib/eval-config.nix") {
    system = "x86_64-linux";
    modules = [
      ../../nix/modules
      configuration
      {
        # As little of a machine as there can be.
        boot.loader.grub.enable = false;
        boot.isContainer = false;
        fileSystems."/".device = "none";
        fileSystems."/".fsType = "tmpfs";
        system.stateVersion = "25.11";
        networking.hostName = "machine";
        nixpkgs.overlays =
          if whole then [ ] else [ (_: _: { shellcheck-minimal.compiler.bootstrapAvailable = false; }) ];
      }
    ]
    ++ extra;
  };
in
{
  facts = import ./facts.nix {
    inherit (system) config;
    inherit (system.pkgs) lib;
  };
  toplevel = system.config.system.build.toplevel;
  seawall = system.config.services.seawall.system;
}
