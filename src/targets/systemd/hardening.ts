import type { Directives } from "./unitFile.ts";

/**
 * What every service of ours goes without (systemd.exec(5)). Left off are the two that Node can't
 * bear: `MemoryDenyWriteExecute=`, since V8 compiles to memory that it then executes, and
 * `SystemCallFilter=~@resources` and the like, since the launcher's own filter, which is tighter,
 * has to be installed first.
 */
export const HARDENING: Directives = [
  ["AmbientCapabilities", ""],
  ["CapabilityBoundingSet", ""],
  ["KeyringMode", "private"],
  // Not 0: a core_pattern with a pipe ignores that (fs/coredump.c), and the launcher sets this too.
  ["LimitCORE", "1"],
  ["LockPersonality", "yes"],
  ["NoNewPrivileges", "yes"],
  ["PrivateDevices", "yes"],
  ["PrivateIPC", "yes"],
  ["PrivateMounts", "yes"],
  ["PrivateTmp", "yes"],
  ["PrivateUsers", "yes"],
  ["ProcSubset", "pid"],
  ["ProtectClock", "yes"],
  ["ProtectControlGroups", "yes"],
  ["ProtectHostname", "yes"],
  ["ProtectKernelLogs", "yes"],
  ["ProtectKernelModules", "yes"],
  ["ProtectKernelTunables", "yes"],
  ["ProtectProc", "invisible"],
  ["ProtectSystem", "strict"],
  ["RemoveIPC", "yes"],
  ["RestrictFileSystems", "~@privileged-api @security"],
  ["RestrictNamespaces", "yes"],
  ["RestrictRealtime", "yes"],
  ["RestrictSUIDSGID", "yes"],
  ["SystemCallArchitectures", "native"],
  ["UMask", "0077"],
];

/** For root's command line itself, which makes users, units, namespaces and walls. */
export const COMMAND_HARDENING: Directives = [
  ["KeyringMode", "private"],
  ["LimitCORE", "1"],
  ["LockPersonality", "yes"],
  ["ProtectClock", "yes"],
  ["ProtectKernelModules", "yes"],
  ["RestrictRealtime", "yes"],
  ["SystemCallArchitectures", "native"],
];

/** For programs that the launcher starts: it needs these calls to install its own layers. */
export const LAUNCHER_CALLS: Directives = [
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"],
  [
    "SystemCallFilter",
    "~@privileged @resources @clock @cpu-emulation @debug @module @mount @obsolete @raw-io @reboot @swap",
  ],
  ["SystemCallErrorNumber", "EPERM"],
];

/** For small programs of the system's. */
export const SMALL_CALLS: Directives = [
  ["MemoryDenyWriteExecute", "yes"],
  ["SystemCallFilter", "@system-service"],
  ["SystemCallFilter", "~@privileged @resources"],
  ["SystemCallErrorNumber", "EPERM"],
];
