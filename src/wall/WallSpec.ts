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
   * Files and folders inside, besides `execute`, whose contents may be mapped as code: shared
   * libraries. All else that is readable is data, which not even the dynamic loader can run.
   */
  readonly libraries: readonly string[];
  /**
   * Exceptions from what the mounts give. `placeProtections` turns them into mounts;
   * `compileWall` refuses a specification in which some are still to be placed.
   */
  readonly protect: readonly Protection[];
  /** Left by `placeProtections`: protected paths that the process can make. */
  readonly unprotected?: readonly string[];
  /** What the process and all it starts may use up. */
  readonly limits: ResourceLimits;
  /**
   * False = no control group is made for the limits, which are each process's then as on a host
   * without groups: making one costs time at the start.
   */
  readonly groups?: false;
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
  /**
   * The process keeps the session, and so the terminal, of whoever starts it: for a person at the
   * keyboard. Typing into that terminal stays refused by seccomp.
   */
  readonly terminal?: boolean;
  /**
   * Nothing that it starts leaves its process group, so that whoever ends the group ends everything. For a
   * process without a pid namespace of its own, with which all would end by itself; not for a shell at a
   * terminal, which makes a group for each job.
   */
  readonly together?: true;
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
  | {
      readonly kind: "read";
      readonly from: string;
      readonly to: string;
      readonly placed?: Identity;
      /** What was there when it was granted: the start is refused if it is another file by then. */
      readonly seen?: Identity;
    }
  /** Nothing else may be mounted from or onto a place below it: the process decides what is there. */
  | {
      readonly kind: "write";
      readonly from: string;
      readonly to: string;
      /** May be written but, as far as Landlock is there, not read. */
      readonly unreadable?: boolean;
      readonly placed?: Identity;
      readonly seen?: Identity;
    }
  /** `text` appears as a read-only file. */
  | { readonly kind: "file"; readonly to: string; readonly text: string }
  | {
      readonly kind: "link";
      readonly to: string;
      readonly target: string;
      readonly placed?: true;
    }
  /** Made by `placeProtections`: a folder in memory that takes no names but those mounted in it. */
  | { readonly kind: "sealed"; readonly to: string; readonly mode: number }
  /** Memory-backed, empty, writable; `size` in bytes. */
  | { readonly kind: "memory"; readonly to: string; readonly size: number }
  | { readonly kind: "proc"; readonly to: "/proc" }
  /** A minimal /dev: null, zero, full, random, urandom, tty, pts, shm. */
  | { readonly kind: "devices"; readonly to: "/dev" };

/**
 * A path inside the wall that is kept back although a mount shows its folder. Nothing is planted on
 * the host for it. It need not exist: where only a folder that takes no new names can keep a name
 * from being made, the folder that would hold it is sealed, see `placeProtections`.
 */
export interface Protection {
  readonly path: string;
  /** `hidden`: not there at all, and can't be made. `read-only`: may be read; not written, replaced or made. */
  readonly access: "hidden" | "read-only";
  /**
   * What to do about a `read-only` path that doesn't exist in a writable folder. `seal`: that folder
   * takes no new names. `leave`: the name can be made; the report says so. Default `seal`.
   */
  readonly absent?: "seal" | "leave";
}

/** Absent = not limited. `limitsReport` says which mechanism carries each on a host. */
export interface ResourceLimits {
  /** Bytes, of all processes together where cgroups allow, else of each. */
  readonly memory?: number;
  /** Processes and threads together. */
  readonly processes?: number;
  /** Open descriptors of each process. */
  readonly openFiles?: number;
  /** Bytes that one file may grow to. */
  readonly fileSize?: number;
  /** Processors' worth of time, as 1.5. */
  readonly cpu?: number;
}

/** Which file of the host was seen when a mount was placed; the start is refused if it is another by then. */
export interface Identity {
  /** Decimal. */
  readonly device: string;
  readonly inode: string;
}

export interface WallNetwork {
  /** TCP ports on which a listener for every address is made inside and handed to the supervisor. */
  readonly tcp: readonly number[];
  /**
   * Which of `tcp` is an explicit proxy. Under the concession `no-user-namespaces` it is the only listener
   * there is, at 127.0.0.1 of the host, and the only TCP port that may be connected to.
   */
  readonly proxy?: number;
  /**
   * TCP port at which the explicit proxy listens already, at 127.0.0.1 of the host: with the process's own
   * ports all that it may connect to. Only for a process without namespaces of its own, which has nothing else then.
   */
  readonly outside?: number;
  /** UDP ports likewise (53). */
  readonly udp: readonly number[];
  /** TCP ports the process may bind itself (the gateway's). */
  readonly bind: readonly number[];
  /**
   * A Unix socket made inside and handed to the supervisor, who listens on it. Its folder has to be a
   * `memory` mount, which nobody can write to afterwards.
   */
  readonly socket?: { readonly folder: string; readonly name: string };
  /** TCP port inside, on 127.0.0.1, to which the launcher's dialer makes connections on request. */
  readonly dial?: number;
}

/**
 * A weaker wall that the declaration has named; shown by `status` and `prove` for as long as it runs (invariant 4).
 * A concession takes nothing away that the host has: it says what is put up with where it hasn't.
 *
 * - `no-landlock`: files and execution are held by the other layers alone.
 * - `no-user-namespaces`: Landlock and seccomp alone, see `compileShared`. Such a wall has to be specified for it:
 *   nothing can be mounted, and the network is the host's.
 */
export type Concession = "no-landlock" | "no-user-namespaces";
