import { dirname, join, resolve } from "node:path";
import type { HostCapabilities } from "./HostCapabilities.ts";
import { LAUNCHER_INSIDE } from "./namespaces/arguments.ts";
import { WallError } from "./WallError.ts";
import type { Mount, WallSpec } from "./WallSpec.ts";

/**
 * Throws WallError `spec` if the specification contradicts itself, says something that would have
 * no effect, or lets what is inside decide what is mounted at the next start.
 */
export function checkSpec(spec: WallSpec): void {
  const paths = [spec.command[0], spec.cwd, ...spec.execute, ...spec.libraries].concat(
    spec.mounts.flatMap((mount) => ("from" in mount ? [mount.from, mount.to] : [mount.to])),
  );
  for (const path of paths) checkPath(path);
  const texts = [
    ...spec.command,
    ...Object.entries(spec.environment).flat(),
    spec.hostname,
    ...spec.mounts.flatMap((mount) => (mount.kind === "link" ? [mount.target] : [])),
  ];
  if (texts.some((text) => text.includes("\0"))) fail("a string with a NUL in it");
  for (const name of Object.keys(spec.environment))
    if (name === "" || name.includes("=")) fail(`"${name}" is no name for a variable`);
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/u.test(spec.hostname))
    fail(`"${spec.hostname}" is no host name`);
  for (const id of [spec.identity.uid, spec.identity.gid])
    if (!Number.isSafeInteger(id) || id < 0 || id >= 0xffffffff)
      fail(`${id} is no user or group id`);
  const { tcp, udp, bind, dial, outside } = spec.network;
  const more = [dial, outside].filter((port) => port !== undefined);
  for (const port of [...tcp, ...udp, ...bind, ...more])
    if (!Number.isInteger(port) || port < 1 || port > 65535) fail(`${port} is no port`);
  for (const ports of [tcp, udp])
    if (new Set(ports).size !== ports.length) fail("a port twice in one list");
  const taken = tcp.find((port) => bind.includes(port));
  if (taken !== undefined) fail(`port ${taken} can't be both the broker's and the process's`);
  if (outside !== undefined && !spec.concessions.includes("no-user-namespaces"))
    fail("the host's network is for those that concede a network of their own");
  if (spec.protect.length > 0) fail(`"${spec.protect[0]?.path ?? ""}" is still to be protected`);
  if (spec.namespaces === "host") checkHostSpec(spec);
  else checkOwnSpec(spec);
}

function checkHostSpec(spec: WallSpec): void {
  for (const mount of spec.mounts) {
    if (["link", "memory", "file", "sealed"].includes(mount.kind))
      fail(`nothing can be mounted at "${mount.to}" in the host's namespaces`);
    if ("from" in mount && mount.from !== mount.to)
      fail(`"${mount.from}" can't appear elsewhere in the host's namespaces`);
  }
  const { tcp, udp, dial } = spec.network;
  if (tcp.length > 0 || udp.length > 0 || dial !== undefined)
    fail("listeners and the dialer need a network namespace of their own");
  checkExecutables(spec);
}

function checkOwnSpec(spec: WallSpec): void {
  if (!spec.mounts.some((mount) => mount.kind === "proc"))
    fail("/proc has to be mounted: user namespaces are mapped through it");
  for (const [index, mount] of spec.mounts.entries()) {
    if (mount.to === "/") fail("the root itself can't be mounted");
    if (overlaps(mount.to, LAUNCHER_INSIDE)) fail(`"${mount.to}" is where the launcher goes`);
    for (const earlier of spec.mounts.slice(0, index)) {
      if (mount.to === earlier.to || isBelow(earlier.to, mount.to))
        fail(`"${earlier.to}" would be hidden by what is mounted at "${mount.to}"`);
      // bubblewrap follows links on the way to a place, and these would be the process's own.
      if (!isPlaced(mount) && earlier.kind === "write" && isBelow(mount.to, earlier.to))
        fail(`"${mount.to}" is inside the writable "${earlier.to}"`);
    }
    if (mount.kind === "memory" && (!Number.isSafeInteger(mount.size) || mount.size < 4096))
      fail(`"${mount.to}" needs a size of at least a page`);
    const source = "from" in mount ? mount.from : undefined;
    const owner = spec.mounts.find(
      (other) =>
        other.kind === "write" &&
        source !== undefined &&
        !isPlaced(mount) &&
        isBelow(source, other.from),
    );
    if (source !== undefined && owner !== undefined && owner.kind === "write")
      fail(`"${source}" is inside "${owner.from}", where the process decides what it is`);
  }
  checkExecutables(spec);
}

/** What `placeProtections` made: the launcher checks that each mount shows what was seen there. */
function isPlaced(mount: Mount): boolean {
  return mount.kind === "sealed" || ("placed" in mount && mount.placed !== undefined);
}

/** What may be executed must not be what may be written. */
function checkExecutables(spec: WallSpec): void {
  const writable = spec.mounts.filter((mount) => mount.kind === "write" || mount.kind === "memory");
  for (const file of [spec.command[0], ...spec.execute]) {
    const place = writable.find((mount) => mount.to === file || isBelow(file, mount.to));
    if (place !== undefined) fail(`"${file}" is inside the writable "${place.to}"`);
  }
}

/** Libraries that lie in, or hold, what may be written: that is for the specification to say, and is reported. */
export function writableCode({ mounts, libraries }: WallSpec): readonly string[] {
  const writable = mounts.filter((mount) => mount.kind === "write" || mount.kind === "memory");
  return libraries.filter((path) => writable.some(({ to }) => overlaps(path, to)));
}

/** The loaders that one of the mounts makes visible at their own path. */
export function visibleLoaders(spec: WallSpec, host: HostCapabilities): readonly string[] {
  if (spec.namespaces === "host") return host.loaders;
  return host.loaders.filter((path) => {
    const place = behindLinks(spec, path);
    return spec.mounts.some((mount) => showsInPlace(mount, place));
  });
}

function showsInPlace(mount: Mount, path: string): boolean {
  if (mount.kind !== "read") return false;
  if (mount.to === path) return true;
  return mount.from === mount.to && isBelow(path, mount.to);
}

/** A path with a link among the mounts followed, as `/lib64` to `usr/lib64`. */
function behindLinks(spec: WallSpec, path: string): string {
  const link = spec.mounts.find((mount) => mount.kind === "link" && isBelow(path, mount.to));
  if (link?.kind !== "link") return path;
  return join(resolve(dirname(link.to), link.target), path.slice(link.to.length));
}

function checkPath(path: string): void {
  const plain = path.startsWith("/") && !path.includes("\0") && !path.includes("//");
  const steps = path.split("/");
  const trailing = path.length > 1 && path.endsWith("/");
  if (!plain || trailing || steps.includes(".") || steps.includes(".."))
    fail(`"${path.replaceAll("\0", "?")}" is not a plain absolute path`);
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === "/" ? folder : `${folder}/`) && path !== folder;
}

function overlaps(one: string, other: string): boolean {
  return one === other || isBelow(one, other) || isBelow(other, one);
}

function fail(message: string): never {
  throw new WallError("spec", `wall specification: ${message}`);
}
