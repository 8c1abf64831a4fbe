import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Ran } from "./runSeawall.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NODE = join(ROOT, "node_modules", `node-linux-${process.arch}`, "bin", "node");
const PACKAGES = "systemd,systemd-sysv,dbus,iproute2,ca-certificates,passwd";
const PROGRAMS = ["mmdebstrap", "systemd-nspawn", "nsenter", "setpriv", "unshare", "apt-get"];

/**
 * A machine that has booted, or why there can be none here, for a visible skip. Where CI says that the
 * system is complete, one that has the programs and doesn't boot is a failure.
 *
 * @param store folder that is the same inside
 * @param brought what of this host is seen in it besides, where it has nothing of its own at that place
 */
export async function bootMachine(
  store: () => Promise<string>,
  brought: readonly Brought[] = [],
): Promise<Machine | string> {
  const reason = missing();
  if (reason !== false) return reason;
  let machine: Machine | undefined;
  try {
    machine = Machine.make(await store(), brought);
    await machine.boot();
    return machine;
  } catch (error) {
    await machine?.[Symbol.asyncDispose]();
    if (process.env["CI"] === "true") throw error;
    return `needs a system that can boot another: ${String(error).split("\n", 1)[0] ?? ""}`;
  }
}

/** A file or folder of this host. */
export interface Brought {
  readonly from: string;
  readonly to: string;
}

function missing(): string | false {
  const lacking = PROGRAMS.filter(
    (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0,
  );
  let reason: string | false = false;
  if (process.getuid?.() !== 0) reason = "needs root, to boot a system of its own";
  else if (lacking.length > 0) reason = `needs ${lacking.join(", ")} (./dev test installs them)`;
  return reason;
}

/**
 * A Debian with systemd in a container that is thrown away; only this project and a store are seen in
 * it. What it writes lies over a tree that all machines share. It ends with this process, however that
 * ends.
 */
export class Machine implements AsyncDisposable {
  readonly #folder: string;
  readonly #store: string;
  /** Where the tree is writable as a copy of its own; else it is made by a mount at each boot. */
  readonly #copied: boolean;
  readonly #brought: readonly Brought[];
  #nspawn: ChildProcess | undefined;
  #leader = 0;
  #console = "";

  private constructor(folder: string, store: string, copied: boolean, brought: readonly Brought[]) {
    this.#brought = brought;
    this.#folder = folder;
    this.#store = store;
    this.#copied = copied;
  }

  /** @param store folder that is the same inside */
  static make(store: string, brought: readonly Brought[] = []): Machine {
    const cached = cachedTree();
    const machines = join(ROOT, "build", "machines");
    mkdirSync(machines, { recursive: true });
    removeLeft(machines);
    const folder = mkdtempSync(join(machines, `${process.pid}-`));
    for (const name of ["upper", "work", "tree"]) mkdirSync(join(folder, name));
    const tried = spawnSync("unshare", ["--mount", ...overlay(folder), "true"]);
    const copied = tried.status !== 0;
    if (copied) {
      const copy = spawnSync("cp", ["-a", "--reflink=auto", `${cached}/.`, join(folder, "tree")]);
      assert.equal(copy.status, 0, copy.stderr.toString());
    }
    const lacked = brought.filter(({ to }) => !existsSync(join(cached, to)));
    return new Machine(folder, store, copied, lacked);
  }

  /** Its file system as seen from here, while it runs and after it was cut off. */
  get tree(): string {
    if (this.#leader > 0) return `/proc/${this.#leader}/root`;
    return join(this.#folder, this.#copied ? "tree" : "upper");
  }

  async boot(): Promise<void> {
    const nspawn = [
      "systemd-nspawn",
      "--quiet",
      "--register=no",
      "--keep-unit",
      "-D",
      join(this.#folder, "tree"),
      "--boot",
      "--private-network",
      "--console=pipe",
      // Its own list of calls is older than Landlock (systemd 252).
      "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self",
      `--bind-ro=${ROOT}`,
      `--bind=${this.#store}`,
      ...this.#brought.map(({ from, to }) => `--bind-ro=${from}:${to}`),
    ];
    this.#nspawn = spawn(
      "setpriv",
      [
        "--pdeathsig",
        "KILL",
        "unshare",
        "--mount",
        ...(this.#copied ? [] : overlay(this.#folder)),
        ...nspawn,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [this.#nspawn.stdout, this.#nspawn.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#console = `${this.#console}${text}`.slice(-4000);
      });
    }
    for (let tries = 0; tries < 400; tries++) {
      await wait(150);
      if (this.#nspawn.exitCode !== null) break;
      const children = `/proc/${this.#nspawn.pid ?? 0}/task/${this.#nspawn.pid ?? 0}/children`;
      const [leader] = readFileSync(children, "utf8").trim().split(" ");
      this.#leader = Number(leader ?? 0);
      if (this.#leader === 0) continue;
      const { stdout } = await this.run(["systemctl", "is-system-running"]);
      if (/running|degraded/.test(stdout)) return;
    }
    throw new Error(`the machine did not boot: ${this.#console}`);
  }

  /** Runs a program in it, as root. */
  async run(command: readonly string[], options: { readonly input?: string } = {}): Promise<Ran> {
    const child = this.start(command);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    const [code] = (await once(child, "close")) as [number | null];
    return { code: code ?? 255, stdout, stderr };
  }

  start(command: readonly string[]): ChildProcess {
    return spawn(
      "nsenter",
      [
        "--target",
        String(this.#leader),
        "--all",
        "--",
        "env",
        "-i",
        "-C",
        "/root",
        `PATH=${join(NODE, "..")}:/usr/sbin:/usr/bin:/sbin:/bin`,
        `SEAWALL_STORE=${this.#store}`,
        "HOME=/root",
        ...command,
      ],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
  }

  seawall(args: readonly string[], input?: string): Promise<Ran> {
    const command = ["node", join(ROOT, "src/cli/start.cjs"), ...args];
    return this.run(command, input === undefined ? {} : { input });
  }

  async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.seawall(args, input);
    if (code === 0) return stdout;
    const { stdout: log } = await this.run([
      "journalctl",
      "-b",
      "-o",
      "cat",
      "-n",
      "60",
      "--no-pager",
    ]);
    throw new Error(`seawall ${args.join(" ")} exited ${code}: ${stderr}${stdout}\n${log}`);
  }

  /** Everything in it stops at once, as by a power cut. */
  async cut(): Promise<void> {
    const running = this.#nspawn;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, "close");
    if (this.#leader > 0) process.kill(this.#leader, "SIGKILL");
    await ended;
    this.#nspawn = undefined;
    this.#leader = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cut();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Words of a command that mounts the tree and goes on with the words after them. */
function overlay(folder: string): string[] {
  const options = `lowerdir=${cachedTree()},upperdir=${folder}/upper,workdir=${folder}/work`;
  const script = 'mount -t overlay machine -o "$1" "$2" && shift 2 && exec "$@"';
  return ["sh", "-c", script, "sh", options, join(folder, "tree")];
}

/** Of runs that were killed. */
function removeLeft(machines: string): void {
  for (const name of readdirSync(machines)) {
    const pid = Number(name.split("-", 1)[0]);
    if (existsSync(`/proc/${pid}`)) continue;
    rmSync(join(machines, name), { recursive: true, force: true });
  }
}

/** The same distribution as here, whose signatures this machine can check; else Debian 12. */
function hostSuite(): string {
  const text = readFileSync("/etc/os-release", "utf8");
  const value = (key: string): string =>
    new RegExp(`^${key}="?([a-z0-9.-]+)"?$`, "m").exec(text)?.[1] ?? "";
  const codename = value("VERSION_CODENAME");
  return /^(debian|ubuntu)$/.test(value("ID")) && codename !== "" ? codename : "bookworm";
}

/** Made once, in half a minute, from the system's own package sources. */
function cachedTree(): string {
  const suite = hostSuite();
  const tree = join(ROOT, "build", `machine-${suite}-1`);
  if (existsSync(tree)) return tree;
  const unfinished = `${tree}.${process.pid}`;
  const made = spawnSync(
    "mmdebstrap",
    ["--variant=minbase", "--mode=root", `--include=${PACKAGES}`, suite, unfinished],
    { encoding: "utf8" },
  );
  if (made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new Error(`mmdebstrap failed: ${made.stderr.slice(-1500)}`);
  }
  renameSync(unfinished, tree);
  return tree;
}
