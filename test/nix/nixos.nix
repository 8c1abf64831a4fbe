# NixOS as far as nix/modules touch it: options that take anything, and packages that are names.
{ lib }:
let
  inherit (lib) mkOption types;
  stub = default: mkOption {
    type = types.stub;
    inherit default;
  };
  # The place in the store says the name alone, as goldens do.
  fake = pname: version: {
    type = "derivation";
    inherit pname version;
    name = "${pname}-${version}";
    outPath = "${builtins.storeDir}/${pname}";
    override = _: fake pname version // { separate = true; };
    meta.mainProgram = pname;
  };
in
{
  inherit fake;
  pkgs = rec {
    stdenv.hostPlatform = {
      system = "x86_64-linux";
      parsed.cpu.name = "x86_64";
    };
    nodejs_24 = fake "nodejs" "24.16.0";
    dash = fake "dash" "0.5.12";
    iproute2 = fake "iproute2" "6.14.0";
    caddy = fake "caddy" "2.10.0";
    tailscale = fake "tailscale" "1.84.0";
    coreutils = fake "coreutils" "9.7" // {
      meta = { };
    };
    gnugrep = fake "gnugrep" "3.11" // {
      meta.mainProgram = "grep";
    };
    jq = fake "jq" "1.7.1";
    git = fake "git" "2.50.0";
    chromium = fake "chromium" "140.0" // {
      browser = fake "chromium-unwrapped" "140.0";
    };
    dejavu_fonts = fake "dejavu-fonts" "2.37";
    fontconfig = fake "fontconfig-bin" "2.17.1" // {
      out = fake "fontconfig" "2.17.1";
    };
    bubblewrap = fake "bubblewrap" "0.11.0";
    cacert = fake "nss-cacert" "3.111";
    seawall = fake "seawall" "0.1.0";
    writeText = name: text: fake name "0" // { inherit text; };
    runtimeShell = "/bin/sh";
    runCommand = name: attrs: script: fake name "0" // { inherit attrs script; };
    stdenvNoCC.mkDerivation = attrs: fake attrs.pname attrs.version // { inherit attrs; };
    callPackage =
      file: more:
      let
        f = import file;
      in
      f (builtins.intersectAttrs (builtins.functionArgs f) (pkgsAll // more));
    pkgsAll = {
      inherit
        lib
        pkgsAll
        stdenvNoCC
        cacert
        nodejs_24
        ;
    };
  };
  module = {
    options = {
      assertions = stub [ ];
      warnings = stub [ ];
      boot = stub { };
      environment = stub { };
      fileSystems = stub { };
      nixpkgs = stub { };
      networking = stub { };
      security = stub { };
      services.fail2ban = stub { };
      services.resolved = stub { };
      services.nginx = stub { };
      services.caddy = stub { };
      services.ollama = stub { };
      services.openssh = stub { };
      services.tailscale = stub { };
      system = stub { };
      systemd = stub { };
      users = stub { };
      age = stub { };
      sops = stub { };
    };
    config = {
      boot.kernelPackages.kernel.version = lib.mkDefault "6.18.37";
      networking.enableIPv6 = lib.mkDefault true;
      networking.networkmanager.enable = lib.mkDefault false;
      services.resolved.enable = lib.mkDefault false;
      security.lsm = [ "landlock" "yama" ];
      systemd.package = fake "systemd" "260.2";
      age.secrets = { };
      sops.secrets = { };
      users.users = { };
      environment.etc = { };
    };
  };
}
