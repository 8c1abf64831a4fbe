# Five bots that share the machine's Ollama, each with a Telegram token of its own.
{ lib, pkgs, ... }:
let
  bot = port: {
    openclaw = "2026.9.6";
    model = "ollama/qwen3:8b";
    inherit port;
    grants.ollama = { };
    tools.allow = [
      "read"
      "write"
      "edit"
      "message"
    ];
    limits.memory = "2G";
  };
  names = [
    "basecamp"
    "erdos"
    "archie"
    "hopper"
    "noether"
  ];
  number = name: lib.foldl' (at: each: if each == name then at else at + 1) 0 (before name names);
  before =
    name: list:
    if list == [ ] || builtins.head list == name then
      [ ]
    else
      [ (builtins.head list) ] ++ before name (builtins.tail list);
in
{
  services.ollama.enable = true;
  services.seawall = {
    enable = true;
    secrets = lib.genAttrs (map (name: "${name}-telegram") names) (name: {
      file = "/run/agenix/${name}";
    });
    bots = lib.mkMerge [
      (lib.genAttrs names (
        name:
        lib.recursiveUpdate (bot (3001 + number name)) {
          grants.telegram.secret = "${name}-telegram";
        }
      ))
      {
        basecamp.grants."api.example.com".tunnel = 443;
        basecamp.exec.packages = [
          pkgs.coreutils
          pkgs.gnugrep
        ];
        basecamp.exec.allow = [
          "ls"
          "cat"
          "grep"
        ];
      }
    ];
    telemetry.metricsPort = 9464;
  };
}
