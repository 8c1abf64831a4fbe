# What else evaluates in real nixpkgs: with modules of others as far as they are given by folder, the VM
# test, and what bots add to the time an empty system takes (measured by who calls it).
{
  nixpkgs,
  given,
  # Folders of flakes that `seawall init` wrote, by where their secrets are.
  flakes,
}:
let
  real =
    extra: configuration:
    (import ./evaluateReal.nix { inherit nixpkgs extra; } configuration).toplevel.drvPath;
  pkgs = import nixpkgs {
    system = "x86_64-linux";
    overlays = [ (import ../../nix/overlay.nix) ] ++ lacking;
  };
  lacking =
    if whole then [ ] else [ (_: _: { shellcheck-minimal.compiler.bootstrapAvailable = false; }) ];
  whole = builtins.pathExists (nixpkgs + "/pkgs/development/haskell-modules/hackage-packages.nix");
  bot = secret: {
    services.seawall = {
      enable = true;
      secrets.anthropic.file = secret;
      bots.one = {
        openclaw = "2026.9.6";
        model = "anthropic/claude-sonnet-4-6";
        grants.anthropic.secret = "anthropic";
      };
    };
  };
  when = name: value: if given ? ${name} then value (/. + given.${name}) else "not given";
  # As Nix would call them, but for fetching inputs.
  inputs = {
    nixpkgs = {
      legacyPackages.x86_64-linux = pkgs;
      lib = pkgs.lib // {
        nixosSystem =
          { system, modules }:
          import (nixpkgs + "/nixos/lib/eval-config.nix") {
            inherit system;
            modules = modules ++ [ { nixpkgs.overlays = lacking; } ];
          };
      };
    };
    seawall = (import ../../flake.nix).outputs {
      self = inputs.seawall;
      inherit (inputs) nixpkgs;
    };
    agenix.nixosModules.default = import (/. + given.AGENIX + "/modules/age.nix");
    sops-nix.nixosModules.sops = import (/. + given.SOPS + "/modules/sops");
  };
  machineOf =
    folder:
    let
      flake = import (/. + folder + "/flake.nix");
      outputs = flake.outputs (
        { self = outputs; } // builtins.intersectAttrs flake.inputs inputs
      );
    in
    outputs.nixosConfigurations.agents.config.system.build.toplevel.drvPath;
  file = builtins.toFile "secret.yaml" "sops: {}\n";
in
{
  agenix = when "AGENIX" (
    folder:
    real [ (import (folder + "/modules/age.nix")) ] (
      { config, ... }:
      bot config.age.secrets.anthropic.path
      // {
        age.secrets.anthropic.file = file;
        age.identityPaths = [ "/etc/ssh/host" ];
      }
    )
  );
  sops = when "SOPS" (
    folder:
    real [ (import (folder + "/modules/sops")) ] (
      { config, ... }:
      bot config.sops.secrets.anthropic.path
      // {
        sops.defaultSopsFile = file;
        sops.validateSopsFiles = false;
        sops.age.keyFile = "/var/lib/sops-nix/key.txt";
        sops.secrets.anthropic = { };
      }
    )
  );
  template =
    if given ? SOPS && given ? DISKO then
      (import (nixpkgs + "/nixos/lib/eval-config.nix") {
        system = "x86_64-linux";
        modules = [
          ../../nix/modules
          (import (/. + given.SOPS + "/modules/sops"))
          (import (/. + given.DISKO + "/module.nix"))
          ../../nix/template/host.nix
          (
            import ../../nix/template/machine.nix
            // {
              agentsHost = (import ../../nix/template/machine.nix).agentsHost // {
                keys = [ "ssh-ed25519 AAAA admin" ];
              };
              sops = (import ../../nix/template/machine.nix).sops // {
                defaultSopsFile = file;
                validateSopsFiles = false;
              };
              nixpkgs.overlays = lacking;
            }
          )
        ];
      }).config.system.build.toplevel.drvPath
    else
      "not given";
  homeManager = when "HOME_MANAGER" (
    folder:
    (import ./homeManager.nix {
      inherit nixpkgs folder;
      system = "x86_64-linux";
      overlays = lacking;
    }).systemd.user.services.seawall.Service.ExecStart
  );
  flakes = builtins.mapAttrs (_: machineOf) flakes;
  quickSetup = inputs.seawall.apps.x86_64-linux.quick-setup.program;
  vm = (import ../../nix/tests/turn.nix { inherit pkgs; }).drvPath;
}
