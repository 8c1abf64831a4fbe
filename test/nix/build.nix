# A real build of one configuration by the Nix of this machine, with this machine's programs in place of
# nixpkgs'. `folder` has bin/seawall and lib/seawall, `chromium` libexec/chromium; `tree` is an installed OpenClaw.
{
  folder,
  chromium,
  node,
  tree,
  path,
  configuration,
}:
let
  lib = import ./lib.nix;
  nixos = import ./nixos.nix { inherit lib; };
  at = pname: outPath: {
    type = "derivation";
    inherit pname outPath;
    name = "${pname}-0";
    version = "0";
    meta.mainProgram = pname;
  };
  config =
    (lib.evalModules {
      modules = [
        (
          nixos.module
          // {
            config = nixos.module.config // {
              systemd.package = at "systemd" "/usr" // {
                version = "252";
              };
            };
          }
        )
        ../../nix/modules
        configuration
        {
          services.seawall.package = at "seawall" folder;
          services.seawall.nodejs = at "nodejs" node;
          services.seawall.openclawTrees."2026.9.6" = at "openclaw" tree;
        }
      ];
      specialArgs.pkgs = {
        inherit (nixos.pkgs) stdenv;
        dash = at "dash" "/usr";
        iproute2 = at "iproute2" "/usr";
        bubblewrap = at "bubblewrap" "/usr";
        caddy = at "caddy" "/usr";
        chromium = at "chromium" chromium;
        dejavu_fonts = at "dejavu-fonts" "/usr";
        fontconfig = at "fontconfig" "/" // {
          out = "/";
        };
        coreutils = at "coreutils" "/usr";
        git = at "git" "/usr";
        tailscale = at "tailscale" "/usr";
        grep = at "grep" "/usr";
        jq = at "jq" "/usr";
        nodejs_24 = at "nodejs" node;
        runCommand =
          name: attrs: script:
          derivation (
            builtins.removeAttrs attrs [ "nativeBuildInputs" ]
            // {
              inherit name;
              system = builtins.currentSystem;
              builder = "/bin/sh";
              PATH = path;
              args = [
                "-euc"
                script
              ];
            }
          );
      };
    }).config;
in
config.services.seawall.system
