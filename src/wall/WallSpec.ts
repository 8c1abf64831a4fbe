/**
 * What one walled process may see and do, in terms of this host's paths. `compileWall` turns it
 * into bubblewrap arguments and a policy for `seawall-launch`; nothing is decided after that.
 */
export interface WallSpec {
  /** Absolute path inside the wall, then its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** Uid and gid the process sees itself as. */
  readonly identity: { readonly uid: number; readonly gid: number };
  readonly hostname: string;
  /** The root starts empty; these are put into it in order. */
  readonly mounts: readonly Mount[];
  readonly network: WallNetwork;
  /** Paths inside that may be executed, as files. Everything else readable is data. */
  readonly execute: readonly string[];
  /** `host` = the process runs in the host's namespaces (the broker): no bubblewrap, only the launcher's layers. */
  readonly namespaces: "own" | "host";
  /** Named sets of system calls to refuse on top of the basis, see `seccomp/`. */
  readonly concessions: readonly Concession[];
}

export type Mount =
  | { readonly kind: "read"; readonly from: string; readonly to: string }
  | { readonly kind: "write"; readonly from: string; readonly to: string }
  /** `bytes` appear as a read-only file. */
  | { readonly kind: "file"; readonly to: string; readonly text: string }
  | { readonly kind: "link"; readonly to: string; readonly target: string }
  /** Memory-backed, empty, writable; `size` in bytes. */
  | { readonly kind: "memory"; readonly to: string; readonly size: number }
  | { readonly kind: "proc"; readonly to: string }
  /** A minimal /dev: null, zero, full, random, urandom, tty, pts, shm. */
  | { readonly kind: "devices"; readonly to: string };

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
export type Concession = "no-landlock" | "landlock-abi";
