import type { Plan } from "../../plan/index.ts";
import type { HostCapabilities, WallSpec } from "../../wall/index.ts";

/** All that the systemd target prints from. Nothing in it is secret. */
export interface SystemdInput {
  readonly plan: Plan;
  /** One for each bot of the plan, by name. */
  readonly bots: Readonly<Record<string, SystemdBot>>;
  readonly system: SystemdSystem;
  /** For a plan with `autoUpdate`. */
  readonly update?: SystemdUpdate;
  /** For a plan with bots that have agents. */
  readonly agents?: SystemdAgents;
  /** For a plan with bots that may write to each other. */
  readonly bridge?: SystemdBridge;
}

/** The process between brokers by which their bots write to each other. */
export interface SystemdBridge {
  /** In the host's namespaces, with `service`. */
  readonly wall: WallSpec;
  /** What it reads: who may write to whom. */
  readonly config: string;
}

/** What the service that synchronizes agents needs to know. */
export interface SystemdAgents {
  /** File of the declaration. */
  readonly declaration: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What the units of updates need to know besides. */
export interface SystemdUpdate {
  /** Of the service that puts generations in force. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the service that fetches sees, runs and is told; in the host's namespaces. */
  readonly fetch: WallSpec;
}

export interface SystemdBot {
  /**
   * The gateway's wall, with `service`. Its mounts become the unit's; a `file` becomes a file of the
   * generation. What only this machine knows is mounted from `paths.private`.
   */
  readonly gateway: WallSpec;
  /** For the walls that its agents' tools have within, by the name that its mounts have of them. */
  readonly policies?: Readonly<Record<string, Uint8Array>>;
  /** The broker's, in the host's namespaces, with `service`. */
  readonly broker: WallSpec;
  /** For a bot that reads pages by a browser. */
  readonly browser?: SystemdBrowser;
  /** For a bot with plugins, where no switch installs them. */
  readonly install?: SystemdInstall;
}

/** What installs a bot's plugins before it is started. */
export interface SystemdInstall {
  /** Takes the bot's name besides, and `clean` to remove only what was left by force. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The folder that it writes: the deployment's state, and programs. */
  readonly writes: string;
}

export interface SystemdBrowser {
  /** The gate's, in the host's namespaces, with `service`. */
  readonly gate: WallSpec;
  /** The browser's, with `service`: one connection, by which it gets its orders. */
  readonly wall: WallSpec;
  /** Port of the gate's listener in the browser's network. */
  readonly proxyPort: number;
}

/** The machine it is printed for, as far as the files depend on it. */
export interface SystemdSystem {
  /** As `systemctl --version` says: 252. */
  readonly version: number;
  readonly host: HostCapabilities;
  readonly paths: SystemdPaths;
  readonly programs: SystemdPrograms;
  /** What the names of bots' units begin with, if not `seawall`. */
  readonly prefix?: string;
}

export interface SystemdPrograms {
  readonly launcher: string;
  /** iproute2's. */
  readonly ip: string;
  readonly socketProxy: string;
  /** The command line itself, for the timers: program and first arguments. */
  readonly seawall: readonly [string, ...string[]];
  /** Caddy's, for bots with a domain. */
  readonly caddy: string;
  readonly tailscale: string;
}

export interface SystemdPaths {
  /** The generation in force, by the link that is switched. Units name files by it. */
  readonly generation: string;
  /** What only this machine knows (phantoms, tokens, leaves); in the generation where left out. */
  readonly private?: string;
  /** What outlives generations: bots' folders, records. */
  readonly state: string;
  /** Sockets. */
  readonly runtime: string;
  readonly vault: { readonly file: string; readonly identity: string };
}

/** Where a distribution has them; `switch` uses what it finds. */
export const SYSTEMD_PATHS: SystemdPaths = {
  generation: "/etc/seawall/current",
  state: "/var/lib/seawall/system",
  runtime: "/run/seawall",
  vault: {
    file: "/var/lib/seawall/vault/vault.age",
    identity: "/var/lib/seawall/vault/vault.key",
  },
};
