import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, statfsSync, writeSync, openSync, closeSync } from "node:fs";
import { join } from "node:path";
import type { RunOptions } from "./runSeawall.ts";

/** Why there can be no small disk here, for a visible skip. */
export const NO_SMALL_DISK =
  process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0
    ? false
    : "needs root and unshare(1), to mount a small file system";

const READY = "ready";

/**
 * A small file system at a folder, in a mount namespace that only commands started through it see;
 * it goes away with its last process. It is in memory (tmpfs(5)): there, each file that isn't empty
 * takes whole pages, and every name one inode.
 */
export class SmallDisk {
  readonly #holder: ChildProcess;
  readonly #mountPoint: string;

  private constructor(holder: ChildProcess, mountPoint: string) {
    this.#holder = holder;
    this.#mountPoint = mountPoint;
  }

  /** @param limits options of the mount, as `nr_inodes=20`. */
  static async mount(mountPoint: string, limits: string): Promise<SmallDisk> {
    const script = `mount -t tmpfs -o mode=0711,${limits} tmpfs "$0" && echo ${READY} && read -r _`;
    const holder = spawn(
      "unshare",
      ["--mount", "--propagation", "private", "sh", "-c", script, mountPoint],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const [said] = (await once(holder.stdout, "data")) as [Buffer];
    assert.equal(said.toString(), `${READY}\n`);
    return new SmallDisk(holder, mountPoint);
  }

  /** The disk's root as this process can reach it (proc(5): `root` is seen in its namespace). */
  get seen(): string {
    return `/proc/${this.holder}/root${this.#mountPoint}`;
  }

  /** Pid of the process that keeps it. */
  get holder(): number {
    return this.#holder.pid ?? 0;
  }

  /** For `runSeawall`. The working folder is the real one, so files must be named absolutely. */
  readonly through: NonNullable<RunOptions["through"]> = (command) => [
    ...this.#enter(),
    ...command,
  ];

  resize(limits: string): void {
    const [program = "", ...args] = this.#enter();
    execFileSync(program, [...args, "mount", "-o", `remount,${limits}`, this.#mountPoint]);
  }

  /** Takes all room but `pages` pages; without a number, gives it all back. */
  fill(pages?: number): void {
    const filler = join(this.seen, "filler");
    if (existsSync(filler)) rmSync(filler);
    if (pages === undefined) return;
    const { bavail, bsize } = statfsSync(this.seen);
    const fd = openSync(filler, "w");
    for (let page = 0; page < bavail - pages; page++) writeSync(fd, Buffer.alloc(bsize));
    closeSync(fd);
  }

  async unmount(): Promise<void> {
    const ended = once(this.#holder, "exit");
    this.#holder.stdin?.end("\n");
    await ended;
  }

  #enter(): readonly string[] {
    return ["nsenter", "--target", String(this.holder), "--mount", "--"];
  }
}
