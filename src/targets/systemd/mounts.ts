import { targetFile, type TargetFile } from "../Target.ts";
import type { Mount, WallSpec } from "../../wall/index.ts";
import type { SystemdPaths } from "./SystemdInput.ts";
import { plainWord, type Directives } from "./unitFile.ts";

/** Systemd puts these there itself; the unit of a broker has its own word on what lies among the sockets. */
const OTHERS = ["/dev/", "/run/credentials/"];

/** A wall's mounts as a unit's, and the files that have to be there for them. */
export interface UnitMounts {
  readonly directives: Directives;
  readonly files: readonly TargetFile[];
}

/**
 * The root starts as an empty read-only file system in memory; everything in it is bound there. A
 * link becomes a second binding, since systemd makes no links on it.
 *
 * @param folder of the generation, for the contents of `file` mounts
 * @param paths where units find the generation, state and sockets
 * @param scratch what is mounted as /tmp, if something is (`scratchUnit`)
 */
export function unitMounts(
  spec: WallSpec,
  folder: string,
  { generation, state, runtime }: Pick<SystemdPaths, "generation" | "state" | "runtime">,
  scratch?: string,
): UnitMounts {
  const isOther = (path: string): boolean => isOthers(path, runtime);
  const directives: [string, string][] = [
    // systemd makes the places to mount on in this folder, unseen below the empty file system.
    ["RootDirectory", `${state}/root`],
    ["TemporaryFileSystem", "/:ro"],
    ["MountAPIVFS", "yes"],
    // A plus: below the unit's root, not the machine's (systemd.exec(5)).
    ["InaccessiblePaths", "-+/sys -+/dev/hugepages -+/var/tmp"],
    // What `PrivateDevices=` puts there is the machine's own.
    ["TemporaryFileSystem", "/dev/shm:size=64M,mode=1777,nosuid,nodev,noexec"],
  ];
  const files: TargetFile[] = [];
  const places: string[] = [];
  const bind = (name: "BindReadOnlyPaths" | "BindPaths", from: string, to: string): void => {
    const source = plainWord(from);
    places.push(to);
    directives.push([name, from === to ? source : `${source}:${plainWord(to)}`]);
  };
  for (const mount of spec.mounts)
    switch (mount.kind) {
      case "read":
        if (isOther(mount.to)) break;
        bind("BindReadOnlyPaths", mount.from, mount.to);
        for (const other of linkedPlaces(mount, spec.mounts))
          bind("BindReadOnlyPaths", mount.from, other);
        break;
      case "write":
        bind("BindPaths", mount.from, mount.to);
        break;
      case "file": {
        const path = `${folder}/files${mount.to}`;
        files.push(targetFile(path, mount.text));
        bind("BindReadOnlyPaths", `${generation}/${path}`, mount.to);
        break;
      }
      case "memory":
        if (mount.to === "/tmp") {
          // systemd's own is the machine's disk, and wins over an empty file system, not over a binding.
          if (scratch !== undefined) {
            bind("BindPaths", scratch, mount.to);
            break;
          }
          directives.push(["PrivateTmp", "no"]);
        }
        // Not in `NoExecPaths=`, which would win over it.
        directives.push([
          "TemporaryFileSystem",
          `${plainWord(mount.to)}:size=${mount.size},mode=1777,nosuid,nodev,noexec`,
        ]);
        break;
      case "link":
      case "sealed":
      case "proc":
      case "devices":
        break;
    }
  for (const [from, to] of mergedFolders(spec)) bind("BindReadOnlyPaths", from, to);
  const code = codePaths(spec, runtime);
  // One by one: what is said of `/` doesn't reach what is mounted below it by a word of its own
  // (systemd 252, src/core/namespace.c).
  const data = ["/", ...places.filter((place) => !code.includes(place))];
  return {
    directives: [
      ...directives,
      // There where systemd puts one there.
      ["NoExecPaths", "-+/run"],
      ...data.map((path) => ["NoExecPaths", `+${plainWord(path)}`] as const),
      ...code.map((path) => ["ExecPaths", `+${plainWord(path)}`] as const),
    ],
    files,
  };
}

/**
 * What may be code; all else is mounted noexec, as the launcher does it where the wall is its own
 * (Operation `code`). A broker has no commands, and its code is all that it is shown.
 */
function codePaths(spec: WallSpec, runtime: string): string[] {
  const { command, execute, libraries, mounts, namespaces } = spec;
  const own =
    namespaces === "host"
      ? [
          ...mounts.flatMap((mount) =>
            mount.kind === "read" && !isOthers(mount.to, runtime) && !mount.to.startsWith("/etc")
              ? [mount.to]
              : [],
          ),
          ...mergedFolders(spec).map(([, to]) => to),
        ]
      : [command[0], ...execute, ...libraries];
  return [...new Set(own.flatMap((to) => [to, ...linkedPlaces({ to }, mounts)]))];
}

function isOthers(path: string, runtime: string): boolean {
  return [...OTHERS, `${runtime}/`].some((folder) => path.startsWith(folder));
}

/**
 * In the host's namespaces a wall knows no links, since the host's are there; the loader of every
 * program is found by one (`/lib64`).
 */
function mergedFolders({ namespaces, mounts }: WallSpec): [from: string, to: string][] {
  if (namespaces !== "host") return [];
  const places = new Set(mounts.map(({ to }) => to));
  return ["lib", "lib32", "lib64"].flatMap((name) =>
    places.has(`/usr/${name}`) && !places.has(`/${name}`) ? [[`/usr/${name}`, `/${name}`]] : [],
  );
}

/**
 * `ProtectHome=` (systemd.exec(5)). All is hidden already; where our own programs lie in one of these
 * folders, `yes` would hide them too.
 */
export function protectHome(spec: WallSpec, more: readonly string[]): Directives {
  const homes = /^\/(?:home|root|run\/user)(?:\/|$)/;
  const places = [...spec.mounts.map(({ to }) => to), ...more];
  return [["ProtectHome", places.some((path) => homes.test(path)) ? "tmpfs" : "yes"]];
}

/** Where a mount is seen besides, by the wall's links: `/usr/lib` also as `/lib`. */
function linkedPlaces(mount: { readonly to: string }, mounts: readonly Mount[]): string[] {
  return mounts.flatMap((link) => {
    if (link.kind !== "link") return [];
    const target = link.target.startsWith("/") ? link.target : join(parent(link.to), link.target);
    if (mount.to === target) return [link.to];
    if (mount.to.startsWith(`${target}/`)) return [`${link.to}${mount.to.slice(target.length)}`];
    // A link to one file of a mount that is a folder: `node` beside others.
    return [];
  });
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function join(folder: string, rest: string): string {
  return `${folder}/${rest}`;
}
