/**
 * What one walled process may see and do, in terms of this host's paths. `compileWall` turns it
 * into bubblewrap arguments and a policy for `seawall-launch`; nothing is decided after that.
 *
 * Every path is absolute and plain: no `.`, `..`, double or trailing slash.
 */
export interface WallSpec {
  /** Absolute path inside the wall, then its arguments. Arguments can be read by every local user. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Uid and gid the process sees itself as. With `host` namespaces they change nothing: see `startWalled`. */
  readonly identity: { readonly uid: number; readonly gid: number };
  readonly hostname: string;
  /** The root starts empty; these are put into it in order. */
  readonly mounts: readonly Mount[];
  readonly network: WallNetwork;
  /** Paths inside that may be executed, as files, besides the command. Everything else readable is data. */
  readonly execute: readonly string[];
  /**
   * `one` = threads, but no second process and no second exec, not even of the command itself
   * (the broker); also no signals to others and no Unix sockets.
   */
  readonly processes: "any" | "one";
  /**
   * `host` = the process runs in the host's namespaces (the broker): no bubblewrap, only the
   * launcher's layers. Mounts then name what may be read and written where it is, so `from` equals
   * `to`, and the network may only say what is bound.
   */
  readonly namespaces: "own" | "host";
  /** What this wall may go without. */
  readonly concessions: readonly Concession[];
  /**
   * A service manager starts it: what the mounts and `own` namespaces say is made by the unit, and
   * the launcher, started inside, adds its own layers. No bubblewrap, no supervisor, no channel.
   */
  readonly service?: ServiceStart;
}

/** What a service gets from systemd besides its unit. */
export interface ServiceStart {
  /** How many listening sockets it is handed, from descriptor 3 on (sd_listen_fds(3)). */
  readonly sockets: number;
  /** Variables of the unit's environment that it gets, where they are set. */
  readonly environment: readonly string[];
  /** It says when it is ready: a socket for that is the descriptor after the last of `sockets`. */
  readonly notifies: boolean;
  /** `processes: "one"` may connect to Unix sockets; only for a unit that sees none but those meant. */
  readonly unixSockets: boolean;
}

export type Mount =
  | { readonly kind: "read"; readonly from: string; readonly to: string }
  /** Nothing else may be mounted from or onto a place below it: the process decides what is there. */
  | { readonly kind: "write"; readonly from: string; readonly to: string }
  /** `text` appears as a read-only file. */
  | { readonly kind: "file"; readonly to: string; readonly text: string }
  | { readonly kind: "link"; readonly to: string; readonly target: string }
  /** Memory-backed, empty, writable; `size` in bytes. */
  | { readonly kind: "memory"; readonly to: string; readonly size: number }
  | { readonly kind: "proc"; readonly to: "/proc" }
  /** A minimal /dev: null, zero, full, random, urandom, tty, pts, shm. */
  | { readonly kind: "devices"; readonly to: "/dev" };

export interface WallNetwork {
  /** TCP ports on which a listener for every address is made inside and handed to the supervisor. */
  readonly tcp: readonly number[];
  /** UDP ports likewise (53). */
  readonly udp: readonly number[];
  /** TCP ports the process may bind itself (the gateway's). */
  readonly bind: readonly number[];
  /** TCP port inside, on 127.0.0.1, to which the launcher's dialer makes connections on request. */
  readonly dial?: number;
}

/** A weaker wall that the declaration has named; shown by `status` and `prove` for as long as it runs (invariant 4). */
export type Concession = "no-landlock";
