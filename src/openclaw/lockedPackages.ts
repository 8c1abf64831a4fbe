import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OpenClawError } from "./OpenClawError.ts";
import type { Platform } from "./Pin.ts";

const Entry = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  inBundle: z.boolean().optional(),
  link: z.boolean().optional(),
  optional: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
  libc: z.array(z.string()).optional(),
});
const Lock = z.looseObject({
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), Entry),
});

/** A package of a lock: where it goes, relative to the project's folder. */
export interface LockedPackage {
  readonly path: string;
  readonly optional: boolean;
}

/**
 * The packages that npm puts into the tree for one kind of machine, as the lock names them.
 *
 * @throws OpenClawError `bad-pin` when the lock is of another form, or when a package in it has no
 * sha512 integrity, a download address, or a link out of the registry.
 */
export function lockedPackages(folder: string, platform: Platform): LockedPackage[] {
  const file = join(folder, "package-lock.json");
  const { packages } = readLock(file);
  const [os = "", cpu = ""] = platform.split("-");
  const out: LockedPackage[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (path === "") continue;
    const bundled = entry.inBundle === true;
    if (!path.startsWith("node_modules/") || path.split("/").includes("..")) {
      throw badLock(file, `"${path}" lies outside of node_modules`);
    }
    if (entry.link === true || entry.resolved !== undefined) {
      throw badLock(file, `"${path}" names where to get it from`);
    }
    if (!bundled && entry.integrity?.startsWith("sha512-") !== true) {
      throw badLock(file, `"${path}" has no sha512 integrity`);
    }
    const wanted =
      admits(entry.os, os) &&
      admits(entry.cpu, cpu) &&
      (entry.libc === undefined || (os === "linux" && admits(entry.libc, "glibc")));
    if (wanted && !bundled) out.push({ path, optional: entry.optional === true });
  }
  return out;
}

function readLock(file: string): z.infer<typeof Lock> {
  try {
    return Lock.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new OpenClawError("bad-pin", "the pin's package-lock.json can't be used", {
      where: file,
      cause,
    });
  }
}

function badLock(file: string, message: string): OpenClawError {
  return new OpenClawError("bad-pin", `the pin's lock can't be trusted: ${message}`, {
    where: file,
  });
}

/** npm's rule: a list allows what it names; an entry with `!` forbids (docs: package.json, os). */
function admits(list: readonly string[] | undefined, value: string): boolean {
  if (list === undefined || list.length === 0) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((item) => item.startsWith("!"));
}
