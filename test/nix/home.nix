# home-manager's module with one bot, by our own lib; `isLinux` is what the user's machine is, or macOS.
{ isLinux, concessions ? [ ] }:
let
  lib = import ./lib.nix;
  nixos = import ./nixos.nix { inherit lib; };
  stub = lib.mkOption {
    type = lib.types.stub;
    default = { };
  };
  config =
    (lib.evalModules {
      modules = [
        {
          options = {
            assertions = stub // {
              default = [ ];
            };
            home = stub;
            xdg = stub;
            systemd = stub;
            launchd = stub;
          };
          config.xdg.configHome = "/home/someone/.config";
          config.home.homeDirectory = "/home/someone";
        }
        ../../nix/home-manager/seawall.nix
        {
          services.seawall = {
            enable = true;
            # This user's to open, where services could read neither.
            secrets.anthropic.keyring = "anthropic";
            secrets.discord.keyring = "discord";
            bots.one = {
              openclaw = "2026.9.6";
              model = "anthropic/claude-sonnet-4-6";
              grants.anthropic.secret = "anthropic";
              # A channel that is a plugin.
              grants.discord.secret = "discord";
              inherit concessions;
              exec.allow = [ "ls" ];
              exec.packages = [ nixos.pkgs.coreutils ];
            };
          };
        }
      ];
      specialArgs.pkgs = nixos.pkgs // {
        stdenv.hostPlatform = nixos.pkgs.stdenv.hostPlatform // {
          inherit isLinux;
          isDarwin = !isLinux;
        };
      };
    }).config;
in
{
  failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
  packages = map toString (config.home.packages or [ ]);
  file = config.xdg.configFile."seawall/seawall.json5".text or null;
  services = config.systemd.user.services or { };
  agents = config.launchd.agents or { };
}
