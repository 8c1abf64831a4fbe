# What is compared: what the modules make of options, without what only one nixpkgs has.
{ config, lib }:
let
  ours = name: lib.hasPrefix "seawall" name;
in
{
  # Sorted, since modules are merged in another order.
  failed = builtins.sort builtins.lessThan (
    map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions)
  );
  enabled = config.services.seawall.enable;
}
// lib.optionalAttrs config.services.seawall.enable {
  declaration = config.services.seawall.declaration;
  machine = config.services.seawall.machine;
  users = builtins.mapAttrs (_: user: {
    inherit (user) group isSystemUser description;
    home = user.home or "/var/empty";
  }) (lib.filterAttrs (name: _: ours name) config.users.users);
  groups = builtins.filter ours (builtins.attrNames config.users.groups);
  etc = builtins.filter (name: ours name || lib.hasPrefix "fail2ban/filter.d/seawall" name) (
    builtins.attrNames config.environment.etc
  );
  ports = builtins.filter (port: port == 443) (config.networking.firewall.allowedTCPPorts or [ ]);
  prepare = {
    inherit (config.systemd.services.seawall-prepare) before wantedBy after;
    serviceConfig = builtins.removeAttrs config.systemd.services.seawall-prepare.serviceConfig [ "ExecStart" ];
    exec = toString config.systemd.services.seawall-prepare.serviceConfig.ExecStart;
  };
  dropins = builtins.mapAttrs (_: unit: unit.text) (
    lib.filterAttrs (
      name: _: lib.hasPrefix "seawall-broker-" name || name == "seawall-agents.service"
    ) config.systemd.units
  );
  # Only the words that every nixpkgs has.
  autoUpgrade =
    let
      upgrade = config.system.autoUpgrade or { };
    in
    if upgrade.enable or false then { inherit (upgrade) dates flake; } else null;
  target = builtins.elem "seawall.target" config.systemd.targets.multi-user.wants;
}
