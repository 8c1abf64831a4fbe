import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

/** Where programs are found that start dynamic ones (ld.so(8)): glibc's and musl's. */
export const LOADERS: readonly string[] = [
  "/lib64/ld-linux-x86-64.so.2",
  "/lib/ld-linux-aarch64.so.1",
  "/lib/ld-musl-x86_64.so.1",
  "/lib/ld-musl-aarch64.so.1",
];

const FOLDERS = [
  "/usr/lib/git-core",
  "/usr/lib/apt/methods",
  "/usr/libexec",
  "/usr/lib",
  "/usr/bin",
];
const LOOKED_AT = 400;

/** Some dynamic programs that can be read here and aren't granted. */
export function findPrograms(most: number, granted: readonly string[]): string[] {
  const found: string[] = [];
  for (const folder of FOLDERS)
    for (const name of namesIn(folder).slice(0, LOOKED_AT)) {
      const path = join(folder, name);
      if (granted.includes(path) || name.includes(".so") || !isProgram(path)) continue;
      found.push(path);
      if (found.length >= most) return found;
    }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Whether it is an ELF file that names an interpreter (elf(5)). */
function isProgram(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const head = Buffer.alloc(4096);
    const read = readSync(fd, head, 0, head.length, 0);
    return (
      head.subarray(0, 4).equals(Buffer.from("\u007fELF")) &&
      head.subarray(0, read).includes("/ld-")
    );
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}
