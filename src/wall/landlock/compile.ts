import type { WallSpec } from "../WallSpec.ts";
import { FS, knownRights, NET } from "./rights.ts";

/** A Landlock ruleset as the launcher builds it. */
export interface Ruleset {
  /** Rights that are refused unless a rule gives them. */
  readonly fs: bigint;
  readonly net: bigint;
  /** What may not leave the ruleset's processes. */
  readonly scoped: bigint;
  readonly rules: readonly Rule[];
}

export type Rule =
  /** The rights given if the path is a directory, and if not; 0 = then the wall is refused. */
  | {
      readonly kind: "path";
      readonly path: string;
      readonly directory: bigint;
      readonly file: bigint;
    }
  | { readonly kind: "port"; readonly port: number; readonly rights: bigint };

const READ = FS.readFile | FS.readDirectory;
const WRITE =
  FS.writeFile |
  FS.removeDirectory |
  FS.removeFile |
  FS.makeDirectory |
  FS.makeRegular |
  FS.makeSocket |
  FS.makeFifo |
  FS.makeLink |
  FS.refer |
  FS.truncate;
/** Of these, what a file can have; the kernel refuses the others on a file. */
const FILE_ONLY = FS.execute | FS.writeFile | FS.readFile | FS.truncate | FS.ioctlDevice;

/**
 * The ruleset for a wall: read what is mounted, write what is mounted writable, execute the command,
 * `spec.execute` and `loaders`; TCP only to the listeners and the process's own ports. Rights that
 * `abi` doesn't know are left out, which `describeLandlock` reports. Undefined for ABI 0.
 *
 * `loaders` are ELF interpreters visible inside: the kernel opens them for execution whenever it
 * starts a dynamic program, so they need the right (fs/binfmt_elf.c). `devices` says whose /dev it is.
 */
export function compileLandlock(
  spec: WallSpec,
  abi: number,
  loaders: readonly string[],
  devices: WallSpec["namespaces"] = spec.namespaces,
): Ruleset | undefined {
  if (abi < 1) return undefined;
  const known = knownRights(abi);
  const rules: Rule[] = [];
  const path = (path: string, rights: bigint) => {
    const directory = rights & known.fs;
    rules.push({ kind: "path", path, directory, file: directory & FILE_ONLY });
  };
  for (const mount of spec.mounts)
    switch (mount.kind) {
      case "read":
      case "file":
      case "proc":
      case "sealed":
        path(mount.to, READ);
        break;
      case "write":
        path(mount.to, mount.unreadable === true ? WRITE : READ | WRITE);
        break;
      case "memory":
        path(mount.to, READ | WRITE);
        break;
      case "devices":
        for (const [name, rights] of deviceRights(devices)) path(name, rights);
        break;
      case "link":
        break;
    }
  for (const file of new Set([spec.command[0], ...spec.execute, ...loaders]))
    rules.push({ kind: "path", path: file, directory: 0n, file: FS.execute | FS.readFile });
  const { net, ports } = compilePorts(spec, known.net);
  return { fs: known.fs, net, scoped: known.scoped, rules: [...rules, ...ports] };
}

function deviceRights(namespaces: WallSpec["namespaces"]): readonly (readonly [string, bigint])[] {
  const write = READ | FS.writeFile;
  if (namespaces === "host")
    return [
      ["/dev/null", write],
      ["/dev/zero", READ],
      ["/dev/random", READ],
      ["/dev/urandom", READ],
    ];
  return [
    ["/dev", READ],
    ...["null", "zero", "full", "random", "urandom"].map(
      (name) => [`/dev/${name}`, write] as const,
    ),
    ["/dev/tty", write | FS.ioctlDevice],
    ["/dev/pts", write | FS.ioctlDevice],
    ["/dev/shm", READ | WRITE],
  ];
}

/** In the host's namespaces only binding is limited: the broker dials wherever its grants say. */
function compilePorts(spec: WallSpec, known: bigint): { net: bigint; ports: readonly Rule[] } {
  const { tcp, bind, dial } = spec.network;
  const net = spec.namespaces === "host" ? known & NET.bindTcp : known;
  if (net === 0n) return { net, ports: [] };
  const rights = new Map<number, bigint>();
  const give = (port: number, right: bigint) => rights.set(port, (rights.get(port) ?? 0n) | right);
  for (const port of bind) give(port, NET.bindTcp | NET.connectTcp);
  for (const port of tcp) give(port, NET.connectTcp);
  if (dial !== undefined) give(dial, NET.connectTcp);
  const ports = [...rights]
    .toSorted(([one], [other]) => one - other)
    .map(([port, given]) => ({ kind: "port" as const, port, rights: given & net }))
    .filter((rule) => rule.rights !== 0n);
  return { net, ports };
}

/** The dialer's ruleset: no file at all, and TCP to one port. Undefined for ABI 0. */
export function compileDialerLandlock(port: number, abi: number): Ruleset | undefined {
  if (abi < 1) return undefined;
  const known = knownRights(abi);
  const rights = NET.connectTcp & known.net;
  return { ...known, rules: rights === 0n ? [] : [{ kind: "port", port, rights }] };
}
