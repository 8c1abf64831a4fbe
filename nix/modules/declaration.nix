# From options to the declaration, and what is wrong with it as far as evaluation can see.
{ lib }:
let
  inherit (builtins)
    attrNames
    elem
    filter
    isAttrs
    isList
    isPath
    isString
    length
    mapAttrs
    toJSON
    ;

  catalogue = builtins.fromJSON (builtins.readFile ../generated/catalogue.json);

  # Options that were left out are null; a JSON null can stand in settings alone.
  said =
    value:
    if isPath value || isAttrs value && value ? outPath then
      "${value}"
    else if isList value then
      map said value
    else if isAttrs value then
      mapAttrs (_: said) (lib.filterAttrs (_: each: each != null) value)
    else
      value;

  commandsOf =
    exec:
    if exec.allow != null then
      exec.allow
    else
      map (package: package.meta.mainProgram or (lib.getName package)) exec.packages;

  # Without those that Seawall brings.
  ofPackages = exec: filter (name: !(elem name catalogue.commands)) (commandsOf exec);

  botOf =
    bot:
    said (
      removeAttrs bot [
        "exec"
        "settings"
      ]
    )
    // lib.optionalAttrs (commandsOf bot.exec != [ ]) { exec.allow = commandsOf bot.exec; }
    // lib.optionalAttrs (bot.settings != { }) { inherit (bot) settings; };

  quoted = names: lib.concatMapStringsSep ", " (name: ''"${name}"'') names;

  # Every string of a value, with the option that it stands in.
  strings =
    place: value:
    if isString value then
      [ { inherit place value; } ]
    else if isList value then
      lib.concatMap (strings place) value
    else if isAttrs value then
      lib.concatMap (
        name:
        [
          {
            inherit place;
            value = name;
          }
        ]
        ++ strings "${place}.${name}" value.${name}
      ) (attrNames value)
    else
      [ ];

  looksLikeSecret = text: lib.any (pattern: builtins.match pattern text != null) catalogue.secretShapes;

  # Those with the same key twice or more, once each.
  clashes =
    key: list:
    filter (group: length group > 1) (
      map (each: filter (other: key other == key each) list) (
        lib.foldl' (
          seen: each: if lib.any (other: key other == key each) seen then seen else seen ++ [ each ]
        ) [ ] list
      )
    );

  # names.ts: systemd takes users of 31 characters.
  userName =
    name:
    if builtins.stringLength name <= 31 then
      name
    else
      "${builtins.substring 0 22 name}_${builtins.substring 0 8 (builtins.hashString "sha256" name)}";
in
{
  inherit catalogue;

  botUser = bot: userName "seawall-${bot}";
  brokerUser = bot: userName "seawall_${bot}";
  gateUser = bot: userName "seawall_gate_${bot}";
  browserUser = bot: userName "seawall_web_${bot}";
  # names.ts, BRIDGE_USER.
  bridgeUser = "seawall__bridge";

  # What `seawall` reads, as a set; `options` is where the options are.
  declarationOf =
    cfg:
    {
      seawall = 1;
      secrets = said cfg.secrets;
      services = said cfg.services;
      bots = mapAttrs (_: botOf) cfg.bots;
    }
    // said {
      inherit (cfg) approvals audit telemetry;
    };

  # Assertions (NixOS, `assertions`), each naming the option. `boot`: services read the secrets.
  assertionsOf =
    {
      cfg,
      place,
      boot,
      versions,
    }:
    let
      names = attrNames cfg.bots;
      each = f: lib.concatMap (name: f name cfg.bots.${name} "${place}.bots.${name}") names;
      grants =
        f:
        each (
          _: bot: at: lib.concatMap (name: f name bot.grants.${name} ''${at}.grants."${name}"'') (attrNames bot.grants)
        );
      refuse = assertion: message: { inherit assertion message; };
      known = catalogue.services ++ attrNames cfg.services;
      ports = map (name: {
        inherit name;
        port = cfg.bots.${name}.port;
      }) names;
      domains = map (name: {
        inherit name;
        domain = cfg.bots.${name}.expose.domain;
      }) (filter (name: (cfg.bots.${name}.expose.domain or null) != null) names);
      first = if cfg.telemetry == null then null else cfg.telemetry.metricsPort;
      metrics = lib.optionals (first != null) (builtins.genList (index: first + index) (length names));
      texts = strings "${place}.secrets" (said cfg.secrets) ++ strings "${place}.services" (said cfg.services) ++ strings "${place}.bots" (mapAttrs (_: botOf) cfg.bots);
    in
    map (
      group:
      refuse false "${
        lib.concatMapStringsSep " and " (one: "${place}.bots.${one.name}.port") group
      } are the same, ${toString (builtins.head group).port}; give each bot a port of its own"
    ) (clashes (one: one.port) ports)
    ++ map (
      group:
      refuse false "${
        lib.concatMapStringsSep " and " (one: "${place}.bots.${one.name}.expose.domain") group
      } are the same; give each bot a domain of its own"
    ) (clashes (one: one.domain) domains)
    ++ map (one: refuse false "${place}.bots.${one.name}.port is ${toString one.port}, which ${place}.telemetry.metricsPort takes: it needs one port for each bot, from ${toString first} on") (
      filter (one: elem one.port metrics) ports
    )
    ++ each (
      name: bot: at: [
        (refuse (
          builtins.match "[a-z]([a-z0-9-]{0,22}[a-z0-9])?" name != null
        ) "${at}: a bot's name is at most 24 of a-z, 0-9 and -, and begins with a letter")
        (refuse (elem bot.openclaw versions) "${at}.openclaw: OpenClaw ${bot.openclaw} is not pinned; there are: ${lib.concatStringsSep ", " versions}")
        (refuse (ofPackages bot.exec == [ ] || bot.exec.packages != [ ])
          "${at}.exec.allow names ${quoted (ofPackages bot.exec)}, and no package in ${at}.exec.packages gives them"
        )
        (refuse (
          bot.expose == null || (bot.expose.domain == null) != (bot.expose.tailscale == null)
        ) "${at}.expose says both or neither of domain and tailscale; say one")
        (refuse (
          !boot || bot.agents == null || bot.agents.podman == null
        ) "${at}.agents.podman: units don't start containers; leave it out, and say tools = \"wall\", or run the bot with seawall up")
        (refuse (
          bot.exec.allow == null || bot.exec.allow != [ ] || bot.exec.packages == [ ]
        ) "${at}.exec.packages are given, and ${at}.exec.allow has no command of them; leave allow out, or name some")
      ]
    )
    ++ grants (
      name: grant: at: [
        (refuse (elem name known || grant.tunnel != null || grant.tcp != null)
          "${at}: there is no service of this name; add it under ${place}.services, or say tunnel or tcp if it is a host"
        )
        (refuse (
          grant.secret == null || cfg.secrets ? ${grant.secret}
        ) ''${at}.secret names "${toString grant.secret}", which ${place}.secrets doesn't have'')
      ]
    )
    ++ lib.optionals boot (
      lib.concatMap (
        name:
        map
          (
            store:
            refuse (
              cfg.secrets.${name}.${store} == null
            ) "${place}.secrets.${name}.${store}: services can't read such a store when the machine boots; say file (agenix, sops-nix), systemdCredential or vault"
          )
          [
            "age"
            "sops"
            "keyring"
            "exec"
            "env"
          ]
      ) (attrNames cfg.secrets)
    )
    ++ map (
      text:
      refuse false "${text.place} holds what looks like a secret; everybody can read the Nix store. Keep it in a file, and name that under ${place}.secrets"
    ) (filter (text: looksLikeSecret text.value) texts);
}
