import { createRequire, syncBuiltinESMExports } from "node:module";
import { open as openHandle } from "node:fs/promises";

/**
 * Loaded with `node --import` before any program of ours: counts its writes to the file system and
 * kills it, as `kill -9` would, at the one it is told, before that is done, or with half of it done.
 *
 *   SEAWALL_DIE_AT=N           the Nth write, from 1 on; 0 for none
 *   SEAWALL_DIE_HALFWAY=1      write half of the bytes first, where it is bytes that are written
 *   SEAWALL_COUNT_WRITES=FILE  how many there were, for a program that ended
 */
const WRITING = [
  "appendFile",
  "chmod",
  "copyFile",
  "fchmod",
  "fsync",
  "ftruncate",
  "link",
  "mkdir",
  "rename",
  "rm",
  "rmdir",
  "symlink",
  "truncate",
  "unlink",
  "write",
  "writeFile",
  "writev",
] as const;
/** Of a FileHandle; its class has no name to be had but from an instance. */
const HANDLE_WRITING = [
  "appendFile",
  "chmod",
  "datasync",
  "sync",
  "truncate",
  "write",
  "writeFile",
];

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string, Method | undefined>;

const dieAt = Number(process.env["SEAWALL_DIE_AT"] ?? "0");
const halfway = process.env["SEAWALL_DIE_HALFWAY"] === "1";
const report = process.env["SEAWALL_COUNT_WRITES"];
let count = 0;

const require = createRequire(import.meta.url);
const fs = require("node:fs") as Methods & {
  promises: Methods;
  writeSync: (fd: number, bytes: Uint8Array) => number;
  writeFileSync: (file: string, text: string) => void;
  openSync: Method;
};
const { writeSync, writeFileSync } = fs;

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal comes before this process executes anything more.
  for (;;);
}

function counted(original: Method, half: (self: unknown, args: unknown[]) => void): Method {
  return function (this: unknown, ...args) {
    count++;
    if (count === dieAt) {
      if (halfway) half(this, args);
      die();
    }
    return original.apply(this, args);
  };
}

function halfOf(bytes: unknown): Uint8Array | undefined {
  const all = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  return all instanceof Uint8Array ? all.subarray(0, all.length >> 1) : undefined;
}

function halfByDescriptor(fd: unknown, bytes: unknown): void {
  const half = halfOf(bytes);
  // Not what is said on the terminal.
  if (half !== undefined && typeof fd === "number" && fd > 2) writeSync(fd, half);
}

function wrap(
  methods: Methods,
  name: string,
  half: (self: unknown, args: unknown[]) => void,
): void {
  const original = methods[name];
  if (original !== undefined) methods[name] = counted(original, half);
}

for (const name of WRITING) {
  for (const methods of [fs, fs.promises]) {
    for (const each of [name, `${name}Sync`]) {
      wrap(methods, each, (_self, [target, bytes]) => halfByDescriptor(target, bytes));
    }
  }
}
const handle = await openHandle("/dev/null");
const prototype = Object.getPrototypeOf(handle) as Methods;
await handle.close();
for (const name of HANDLE_WRITING) {
  wrap(prototype, name, (self, [bytes]) => halfByDescriptor((self as { fd: number }).fd, bytes));
}
syncBuiltinESMExports();
if (report !== undefined) process.once("exit", () => writeFileSync(report, String(count)));
