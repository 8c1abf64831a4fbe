import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RunError } from "./RunError.ts";

/** More would be other people's disk: the oldest go. */
const MOST_KEPT = 256;
const WALL_SOURCES = fileURLToPath(new URL("../wall", import.meta.url));

/**
 * Things that took time to work out, by everything they depend on. A file holds the whole of that, so
 * that two things can never be taken for one another; nobody but this user can write there.
 */
export class PolicyStore {
  readonly #folder: string;
  readonly #trusted: boolean;

  /** @throws RunError `policies` when the folder can't be made */
  constructor(folder: string) {
    this.#folder = folder;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new RunError("policies", "the folder for compiled policies can't be made", {
        where: folder,
        hint: "look at its owner and permissions, or name another folder with SEAWALL_STATE",
        cause,
      });
    }
    const { uid, mode } = lstatSync(folder);
    this.#trusted = uid === process.getuid?.() && (mode & 0o077) === 0;
  }

  /** What was put there; the same code wrote it, see `wallFingerprint`. */
  get(kind: string, key: string): unknown {
    if (!this.#trusted) return undefined;
    try {
      const text = readFileSync(this.#file(kind, key), "utf8");
      const { key: stored, value } = JSON.parse(text) as { key: unknown; value: unknown };
      return stored === key ? value : undefined;
    } catch {
      // Not there, or cut short by a crash: worked out anew.
      return undefined;
    }
  }

  /** Never throws: without room everything works, only slower. */
  put(kind: string, key: string, value: unknown): void {
    if (!this.#trusted) return;
    const file = this.#file(kind, key);
    const temporary = `${file}.${process.pid}`;
    try {
      this.#dropOldest();
      writeFileSync(temporary, JSON.stringify({ key, value }), { mode: 0o600 });
      renameSync(temporary, file);
    } catch {
      // As said.
    }
  }

  /** A descriptor from which exactly these bytes can be read, and a file that nobody else can open. */
  descriptorOf(bytes: string | Uint8Array): number {
    const file = join(this.#folder, `.${process.pid}-${process.hrtime.bigint()}`);
    const fd = openSync(file, "wx+", 0o600);
    unlinkSync(file);
    const buffer = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    try {
      // By position, so that the offset that the reader shares stays at the beginning.
      for (let at = 0; at < buffer.length;) at += writeSync(fd, buffer, at, buffer.length - at, at);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  }

  #file(kind: string, key: string): string {
    return join(this.#folder, `${kind}-${hash(key)}.json`);
  }

  #dropOldest(): void {
    const names = readdirSync(this.#folder);
    if (names.length < MOST_KEPT) return;
    const aged = names
      .map((name) => ({ name, age: statSync(join(this.#folder, name)).mtimeMs }))
      .toSorted((a, b) => a.age - b.age);
    for (const { name } of aged.slice(0, MOST_KEPT / 4)) unlinkSync(join(this.#folder, name));
  }
}

/** Names a file; what is in it is compared as a whole. */
function hash(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x1000193;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b) ^ (other >>> 13);
  }
  return (one >>> 0).toString(16).padStart(8, "0") + (other >>> 0).toString(16).padStart(8, "0");
}

/** Where this is packed (src/cli/packed): what the packed sources of the wall are. */
declare const PACKED_WALL: string | undefined;

/** Changes whenever the code that compiles walls does. */
export function wallFingerprint(): string {
  if (typeof PACKED_WALL === "string") return PACKED_WALL;
  return readdirSync(WALL_SOURCES, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("test"))
    .map((name) => {
      const { mtimeMs, size } = statSync(join(WALL_SOURCES, name));
      return `${name}:${mtimeMs}:${size}`;
    })
    .toSorted()
    .join("\n");
}

/** Everything that what a host can enforce depends on, as far as it can change under our feet. */
export function hostFingerprint(
  launcher: string,
  bwrap: string | undefined,
  cgroup: boolean,
): string {
  const read = (file: string): string => {
    try {
      return readFileSync(file, "utf8").trim();
    } catch {
      return "-";
    }
  };
  const stamp = (file: string): string => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found === undefined ? "-" : `${file}:${found.ino}:${found.mtimeMs}:${found.size}`;
  };
  const link = (file: string): string => {
    try {
      return readlinkSync(file);
    } catch {
      return "-";
    }
  };
  const status = read("/proc/self/status")
    .split("\n")
    .filter((line) => /^(Uid|Gid|CapEff|CapBnd|NoNewPrivs|Seccomp):/.test(line));
  return [
    release(),
    read("/proc/sys/kernel/random/boot_id"),
    stamp(launcher),
    bwrap === undefined ? "-" : stamp(bwrap),
    read("/proc/sys/user/max_user_namespaces"),
    read("/proc/sys/kernel/unprivileged_userns_clone"),
    read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
    link("/proc/self/ns/user"),
    link("/proc/self/ns/mnt"),
    ...status,
    ...(cgroup ? [read("/proc/self/cgroup")] : []),
  ].join("\n");
}
