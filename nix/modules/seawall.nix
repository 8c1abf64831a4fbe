# services.seawall: OpenClaw bots that hold none of their owner's keys, from Nix options.
#
# The units are those of `seawall switch`, printed by the same code in a derivation, which the pinned
# OpenClaw's own judgement is part of; nothing of it is read back by evaluation. What is here is what
# NixOS has of its own: users, folders, the firewall, and the order of things.
{
  config,
  lib,
  pkgs,
  options,
  ...
}:
let
  cfg = config.services.seawall;
  types = import ./types.nix { inherit lib; };
  declared = import ./declaration.nix { inherit lib; };
  inherit (declared)
    botUser
    bridgeUser
    brokerUser
    browserUser
    gateUser
    ;
  hardening = builtins.fromJSON (builtins.readFile ../generated/hardening.json);

  state = "/var/lib/seawall/system";
  names = builtins.attrNames cfg.bots;
  exposed = builtins.filter (name: (cfg.bots.${name}.expose.domain or null) != null) names;
  inTailnet = builtins.filter (name: (cfg.bots.${name}.expose.tailscale or null) != null) names;
  talking = builtins.filter (name: cfg.bots.${name}.grants ? bridge) names;
  browsing = builtins.filter (name: cfg.bots.${name}.grants ? browser-fetch) names;
  withAgents = builtins.filter (name: cfg.bots.${name}.agents != null) names;
  declaration = declared.declarationOf cfg;

  machine = {
    version = 1;
    nixos = true;
    systemd = lib.toInt (builtins.head (lib.splitString "." (lib.getVersion config.systemd.package)));
    kernel = config.boot.kernelPackages.kernel.version;
    ipv6 = config.networking.enableIPv6;
    architecture = pkgs.stdenv.hostPlatform.parsed.cpu.name;
    paths = {
      generation = "/etc/seawall/current";
      private = "${state}/private";
      inherit state;
      runtime = "/run/seawall";
      vault = {
        file = "/var/lib/seawall/vault/vault.age";
        identity = "/var/lib/seawall/vault/vault.key";
      };
    };
    programs = {
      node = lib.getExe' cfg.nodejs "node";
      launcher = "${cfg.package}/lib/seawall/build/seawall-launch";
      shell = lib.getExe' pkgs.dash "dash";
      ip = lib.getExe' pkgs.iproute2 "ip";
      socketProxy = "${config.systemd.package}/lib/systemd/systemd-socket-proxyd";
      caddy = lib.getExe' pkgs.caddy "caddy";
      tailscale = lib.getExe' pkgs.tailscale "tailscale";
    };
    # What synchronizing agents starts: walls, git, and systemd's own.
    tools = map (package: "${lib.getBin package}/bin") [
      pkgs.bubblewrap
      pkgs.git
      config.systemd.package
      pkgs.coreutils
    ];
    project = "${cfg.package}/lib/seawall";
    cache = "${cfg.package}/lib/seawall/broker-cache";
    openclaw = lib.genAttrs (lib.unique (map (name: cfg.bots.${name}.openclaw) names)) (
      version: "${cfg.openclawTrees.${version}}"
    );
    commands = lib.genAttrs names (
      name: map (package: "${lib.getBin (singly package)}/bin") cfg.bots.${name}.exec.packages
    );
    tokens = cfg.tokenFiles;
    # A broker reads what every user can: /etc leads into the store.
    system = [
      builtins.storeDir
      "/etc"
    ]
    ++ lib.optional config.services.resolved.enable "/run/systemd/resolve"
    ++ lib.optional config.networking.networkmanager.enable "/run/NetworkManager";
  }
  // lib.optionalAttrs (cfg.npmRegistry != null) { registry = cfg.npmRegistry; }
  // lib.optionalAttrs (browsing != [ ]) {
    browser = {
      # The program itself, since the script before it needs a shell.
      chromium = "${cfg.chromium.browser or cfg.chromium}/libexec/chromium/chromium";
      program = "${cfg.package}/lib/seawall/browser";
      fonts = "${fonts}";
    };
  };

  # All that fontconfig reads, with nothing that leads out of it.
  fonts = pkgs.runCommand "seawall-fonts" { preferLocalBuild = true; } ''
    mkdir -p "$out/fonts" "$out/conf.d"
    for font in ${lib.concatMapStringsSep " " (font: "${font}/share/fonts") cfg.fonts}; do
      cp -rL --no-preserve=mode "$font/." "$out/fonts/"
    done
    cp -rL --no-preserve=mode ${pkgs.fontconfig.out}/etc/fonts/conf.d/. "$out/conf.d/"
    cat > "$out/fonts.conf" << EOF
    <?xml version="1.0"?>
    <!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
    <fontconfig>
      <dir>$out/fonts</dir>
      <include>$out/conf.d</include>
      <cachedir prefix="xdg">fontconfig</cachedir>
    </fontconfig>
    EOF
  '';

  # nixpkgs' coreutils are one program under many names, of which a grant of one would give all.
  singly =
    package:
    if lib.getName package == "coreutils" && package ? override then
      package.override { singleBinary = false; }
    else
      package;

  rendered = pkgs.runCommand "seawall-system" {
    declaration = builtins.toJSON declaration;
    machine = builtins.toJSON machine;
    passAsFile = [
      "declaration"
      "machine"
    ];
    nativeBuildInputs = [ cfg.package ];
    preferLocalBuild = true;
  } (builtins.readFile ./render.sh);

  tokenFolders = lib.unique (map builtins.dirOf (builtins.attrValues cfg.tokenFiles));

  # Who reads what is made there.
  readers =
    lib.concatMap (name: [
      "seawall-install-${name}.service"
      "seawall-broker-${name}.service"
      "seawall-gateway-${name}.service"
    ]) names
    ++ map (name: "seawall-gate-${name}.service") browsing;

  # Root's one program between boots: phantoms, tokens and leaf certificates are made where they stay.
  prepare = {
    description = "Seawall: phantoms, tokens and certificates of this machine";
    wantedBy = [ "seawall.target" ] ++ readers;
    before = readers;
    after = [
      "systemd-tmpfiles-setup.service"
      "systemd-tmpfiles-resetup.service"
    ];
    unitConfig.StartLimitIntervalSec = 0;
    serviceConfig = hardening // {
      # Not there when it is done, so that who is started anew waits for it once more: a switch restarts them before it
      # starts what it stopped.
      Type = "oneshot";
      ExecStart = "${machine.programs.node} ${machine.project}/src/host/described/main.ts /etc/seawall/current";
      StateDirectory = "seawall";
      StateDirectoryMode = "0711";
      PrivateNetwork = true;
      # It gives files to the brokers' users, and reads what it gave them.
      PrivateUsers = false;
      CapabilityBoundingSet = "CAP_CHOWN CAP_DAC_READ_SEARCH";
      ReadWritePaths = tokenFolders;
      UMask = "0022";
      ProtectHome = true;
      SystemCallFilter = [
        "@system-service"
        "~@resources"
      ];
      SystemCallErrorNumber = "EPERM";
      RestrictAddressFamilies = "AF_UNIX";
      IPAddressDeny = "any";
      SocketBindDeny = "any";
      DevicePolicy = "closed";
    };
  };

  # Secrets made by agenix and sops-nix, whose owner must never be a bot.
  owned =
    place:
    lib.concatMap (
      name:
      let
        secret = lib.attrByPath place { } config;
      in
      lib.concatMap (
        bot:
        map
          (user: {
            assertion = (secret.${name}.owner or "root") != user;
            message = ''${lib.concatStringsSep "." place}."${name}".owner is "${user}", the user of bot "${bot}", which could read it; leave owner out: systemd hands it to the bot's broker alone'';
          })
          [
            (botUser bot)
            (gateUser bot)
            (browserUser bot)
          ]
      ) names
    ) (builtins.attrNames (lib.attrByPath place { } config));

  webServers = builtins.filter (name: config.services.${name}.enable or false) [
    "nginx"
    "caddy"
    "httpd"
    "traefik"
  ];
in
{
  options.services.seawall = {
    enable = lib.mkEnableOption "Seawall: OpenClaw bots that hold none of their owner's keys";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.seawall or (pkgs.callPackage ../packages/seawall.nix { });
      defaultText = lib.literalExpression "pkgs.seawall";
      description = "Seawall itself.";
    };

    nodejs = lib.mkOption {
      type = lib.types.package;
      default = pkgs.nodejs_24;
      defaultText = lib.literalExpression "pkgs.nodejs_24";
      description = "What OpenClaw and the brokers run on. Each pinned OpenClaw says which versions will do.";
    };

    chromium = lib.mkOption {
      type = lib.types.package;
      default = pkgs.chromium;
      defaultText = lib.literalExpression "pkgs.chromium";
      description = "What bots with `browser-fetch` read pages by: a package of nixpkgs' Chromium.";
    };

    fonts = lib.mkOption {
      type = lib.types.listOf lib.types.package;
      default = [ pkgs.dejavu_fonts ];
      defaultText = lib.literalExpression "[ pkgs.dejavu_fonts ]";
      example = lib.literalExpression "[ pkgs.dejavu_fonts pkgs.noto-fonts-cjk-sans ]";
      description = "What pages are drawn in, by `browser-fetch`: Latin, Greek and Cyrillic letters, unless it says more.";
    };

    openclawTrees = lib.mkOption {
      type = lib.types.lazyAttrsOf lib.types.package;
      default = import ../packages/openclaw-trees.nix { inherit lib pkgs; };
      defaultText = lib.literalExpression "each of pins/openclaw";
      description = "Installed trees of OpenClaw by version, as the pins have them.";
    };

    tokenFiles = lib.mkOption {
      type = lib.types.attrsOf types.outsideStore;
      default = { };
      description = "Further places where the token of a bot's gateway can be read by root, by bot.";
    };

    npmRegistry = lib.mkOption {
      type = lib.types.nullOr (
        lib.types.strMatching "https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/-]*"
      );
      default = null;
      description = "Where bots' plugins are fetched from, which the machine does by itself, and compares with their pins: where root's npm would, if left out.";
    };

    openFirewall = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Open port 443 where a bot has a domain. Nothing else listens beyond the loopback.";
    };

    autoUpdate.enable = lib.mkEnableOption "building the system anew from its flake on a schedule, by system.autoUpgrade, with every error shown";
    autoUpdate.schedule = lib.mkOption {
      type = lib.types.str;
      default = "weekly";
      description = "When, as systemd.time(7) has it.";
    };
    autoUpdate.flake = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "github:example/machines#agents";
      description = "The flake that this machine is built from, as its lock has it. A newer OpenClaw comes with a newer Seawall there: nix flake update seawall. Where it is a folder of this machine, system.autoUpgrade.flags has that done too: [ \"--update-input\" \"seawall\" ].";
    };

    declaration = lib.mkOption {
      type = types.json;
      readOnly = true;
      internal = true;
      default = declaration;
      description = "The declaration that these options say.";
    };

    machine = lib.mkOption {
      type = types.json;
      readOnly = true;
      internal = true;
      default = machine;
      description = "The machine, as `seawall build --machine` reads it.";
    };

    system = lib.mkOption {
      type = lib.types.package;
      readOnly = true;
      internal = true;
      default = rendered;
      description = "Units, policies and files, rendered and judged by OpenClaw.";
    };
  }
  // import ../generated/options.nix { inherit lib types; };

  config = lib.mkIf cfg.enable {
    assertions =
      declared.assertionsOf {
        inherit cfg;
        place = "services.seawall";
        boot = true;
        versions = builtins.attrNames cfg.openclawTrees;
      }
      ++ owned [
        "age"
        "secrets"
      ]
      ++ owned [
        "sops"
        "secrets"
      ]
      ++ lib.concatMap (
        name:
        map
          (user: {
            assertion = !(config.users.users.${user}.isNormalUser or false);
            message = "users.users.${user} is a person's; it is the user of services.seawall.bots.${name}. Give one of them another name";
          })
          [
            (botUser name)
            (brokerUser name)
            (gateUser name)
            (browserUser name)
          ]
      ) names
      ++ lib.optional (exposed != [ ]) {
        assertion = webServers == [ ];
        message = "services.seawall.bots.${builtins.head exposed}.expose.domain needs port 443, which services.${
          lib.concatStringsSep " and services." webServers
        } takes; leave expose out and let that server proxy to the bot's port";
      }
      ++ lib.optional (inTailnet != [ ]) {
        assertion = config.services.tailscale.enable;
        message = "services.seawall.bots.${builtins.head inTailnet}.expose.tailscale needs services.tailscale.enable, which isn't true";
      }
      ++ [
        {
          assertion = cfg.autoUpdate.enable -> cfg.autoUpdate.flake != null;
          message = "services.seawall.autoUpdate.flake is missing: say which flake this machine is built from";
        }
        {
          assertion = lib.versionAtLeast machine.kernel "6.12";
          message = "boot.kernelPackages: services.seawall needs Linux 6.12 or later for all of Landlock, and this is ${machine.kernel}";
        }
        {
          assertion = builtins.elem "landlock" config.security.lsm;
          message = "security.lsm lacks \"landlock\", which services.seawall needs";
        }
      ];

    # nixos-upgrade.service fails aloud, and what doesn't build or doesn't pass `check` is never switched to.
    system.autoUpgrade = lib.mkIf (cfg.autoUpdate.enable && cfg.autoUpdate.flake != null) {
      enable = true;
      dates = cfg.autoUpdate.schedule;
      inherit (cfg.autoUpdate) flake;
    };

    environment.systemPackages = [ cfg.package ];
    environment.etc."seawall/current".source = "${rendered}/generation";
    environment.etc."seawall/seawall.json5".text = builtins.toJSON declaration;

    users.users = lib.mkMerge (
      map (name: {
        ${botUser name} = {
          isSystemUser = true;
          group = botUser name;
          home = "${state}/bots/${name}";
          description = "Seawall bot ${name}";
        };
        ${brokerUser name} = {
          isSystemUser = true;
          group = brokerUser name;
          description = "Seawall broker of ${name}";
        };
      }) names
      ++ map (name: {
        ${gateUser name} = {
          isSystemUser = true;
          group = gateUser name;
          description = "Seawall gate before the browser of ${name}";
        };
        ${browserUser name} = {
          isSystemUser = true;
          group = browserUser name;
          description = "Seawall browser of ${name}";
        };
      }) browsing
      ++ lib.optional (talking != [ ]) {
        ${bridgeUser} = {
          isSystemUser = true;
          group = bridgeUser;
          description = "Seawall messages between bots";
        };
      }
    );
    users.groups = lib.genAttrs (
      lib.concatMap (name: [
        (botUser name)
        (brokerUser name)
      ]) names
      ++ lib.concatMap (name: [
        (gateUser name)
        (browserUser name)
      ]) browsing
      ++ lib.optional (talking != [ ]) bridgeUser
    ) (_: { });

    systemd.packages = [ rendered ];
    systemd.tmpfiles.packages = [ rendered ];
    systemd.tmpfiles.rules = map (folder: "d ${folder} 0700 root root -") tokenFolders;
    systemd.services.seawall-prepare = prepare;
    systemd.targets.multi-user.wants = [ "seawall.target" ];
    systemd.targets.seawall.wants = [ "network-online.target" ];
    # Secrets and models that this machine has of its own are there first.
    systemd.units = lib.genAttrs (
      map (name: "seawall-broker-${name}.service") names
      ++ lib.optional (withAgents != [ ]) "seawall-agents.service"
    ) (_: {
      overrideStrategy = "asDropin";
      text = ''
        [Unit]
        After=seawall-prepare.service agenix-install-secrets.service sops-install-secrets.service ollama.service
      '';
    });

    networking.firewall.allowedTCPPorts = lib.mkIf (cfg.openFirewall && exposed != [ ]) [ 443 ];

    services.fail2ban = lib.mkIf (exposed != [ ]) {
      enable = lib.mkDefault true;
      jails.seawall-gateway.settings = {
        filter = "seawall-gateway";
        backend = "auto";
        logpath = "/var/log/seawall-web/access.log";
        port = "https";
        maxretry = 5;
        findtime = "10m";
        bantime = "10m";
      };
    };
    environment.etc."fail2ban/filter.d/seawall-gateway.conf" = lib.mkIf (exposed != [ ]) {
      source = "${rendered}/generation/expose/fail2ban/filter.conf";
    };
  };
}
