# A virtual or real machine for bots alone: UEFI and BIOS, virtio, no open port but what a domain needs.
{
  config,
  lib,
  modulesPath,
  pkgs,
  ...
}:
let
  cfg = config.agentsHost;
  inherit (lib) mkOption types;
in
{
  imports = [ (modulesPath + "/profiles/qemu-guest.nix") ];

  options.agentsHost = {
    hostName = mkOption {
      type = types.str;
      description = "The machine's name.";
    };
    admin = mkOption {
      type = types.str;
      description = "Who administers it, by SSH.";
    };
    keys = mkOption {
      type = types.listOf types.str;
      description = "Public SSH keys of the administrator.";
    };
    disk = mkOption {
      type = types.str;
      description = "The disk that is partitioned; all on it is lost.";
    };
    tailscale = mkOption {
      type = types.bool;
      default = true;
      description = "Whether SSH comes over Tailscale alone.";
    };
  };

  config = {
    assertions = [
      {
        assertion = cfg.keys != [ ];
        message = "agentsHost.keys is empty: put your public SSH key there, or nobody gets in";
      }
    ];

    networking.hostName = cfg.hostName;
    networking.firewall.enable = true;
    services.tailscale.enable = cfg.tailscale;
    networking.firewall.trustedInterfaces = lib.optional cfg.tailscale "tailscale0";
    services.openssh = {
      enable = true;
      openFirewall = !cfg.tailscale;
      settings.PasswordAuthentication = false;
      settings.PermitRootLogin = "no";
    };
    services.qemuGuest.enable = true;

    users.mutableUsers = false;
    users.users.${cfg.admin} = {
      isNormalUser = true;
      extraGroups = [ "wheel" ];
      openssh.authorizedKeys.keys = cfg.keys;
    };
    # It has no password to ask for; who has the key is root.
    security.sudo.wheelNeedsPassword = false;

    # Staged by nixos-anywhere --extra-files, and root's alone.
    sops.age.keyFile = "/var/lib/sops-nix/key.txt";

    boot.loader.grub = {
      enable = true;
      efiSupport = true;
      efiInstallAsRemovable = true;
    };
    boot.loader.systemd-boot.configurationLimit = 20;

    disko.devices.disk.main = {
      type = "disk";
      device = cfg.disk;
      content = {
        type = "gpt";
        partitions = {
          # For BIOS; beside it one for UEFI, so that either boots.
          boot = {
            size = "1M";
            type = "EF02";
          };
          ESP = {
            size = "512M";
            type = "EF00";
            content = {
              type = "filesystem";
              format = "vfat";
              mountpoint = "/boot";
              mountOptions = [ "umask=0077" ];
            };
          };
          root = {
            size = "100%";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
            };
          };
        };
      };
    };

    nix.settings.experimental-features = [
      "nix-command"
      "flakes"
    ];
    nix.gc = {
      automatic = true;
      options = "--delete-older-than 30d";
    };
    environment.systemPackages = [
      pkgs.git
      pkgs.just
    ];
    system.stateVersion = "25.11";
  };
}
