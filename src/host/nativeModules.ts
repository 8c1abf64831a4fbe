import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";

/**
 * Native parts of an installed tree of packages: the ELF files among `*.node` and `*.so`, on macOS the Mach-O
 * files among `*.node` and `*.dylib`. A tree like
 * OpenClaw's has a handful, and some programs beside, which are not in this list.
 */
export async function nativeModules(
  root: string,
  platform: NodeJS.Platform = process.platform,
): Promise<string[]> {
  const [names, magics] = platform === "darwin" ? MACOS : LINUX;
  const found: string[] = [];
  const waiting = [root];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile() && names.test(entry.name) && magics.includes(magicOf(path)))
        found.push(path);
    }
    // Tens of thousands of folders; whoever else has work here gets to it.
    if (waiting.length % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return found.toSorted();
}

/** Names, and the first four bytes: ELF's; a 64-bit Mach-O's (<mach-o/loader.h>), and of a universal one. */
const LINUX: Natives = [/\.(?:node|so)$/u, [0x7f454c46]];
const MACOS: Natives = [/\.(?:node|dylib)$/u, [0xcffaedfe, 0xcafebabe]];
type Natives = readonly [names: RegExp, magics: readonly number[]];

function magicOf(path: string): number {
  const head = Buffer.alloc(4);
  const fd = openSync(path, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  return head.readUInt32BE(0);
}
