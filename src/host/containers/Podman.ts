import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerSeccomp } from "./containerSeccomp.ts";
import { CONTAINERS_CONF, storageConf } from "./podmanArguments.ts";

/** Podman's own (containers-common, seccomp.json(5)); the second is an administrator's. */
const PROFILES = ["/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"];
const LARGEST_ANSWER = 1024 * 1024;

/** Podman for one bot: with a store, a configuration and an environment that are the keeper's alone. */
export class Podman {
  readonly #program: string;
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
    this.#environment = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      LANG: "C.UTF-8",
      HOME: folder,
      XDG_RUNTIME_DIR: join(folder, "run"),
      TMPDIR: join(folder, "run"),
      CONTAINERS_CONF: join(folder, "containers.conf"),
      CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    };
  }

  get seccomp(): string {
    return join(this.#folder, "seccomp.json");
  }

  /** A folder of one container's. */
  place(name: string): string {
    return join(this.#folder, "run", name);
  }

  /** Writes what it is configured by. @throws Error where there is no seccomp profile to begin with. */
  prepare(): void {
    const run = join(this.#folder, "run");
    // All that an earlier keeper has left here is about processes that have ended, by numbers that others have now.
    rmSync(run, { recursive: true, force: true });
    mkdirSync(run, { recursive: true, mode: 0o700 });
    const profile = PROFILES.find((path) => existsSync(path));
    if (profile === undefined) throw new Error("Podman's seccomp profile is not installed");
    writeFileSync(this.seccomp, containerSeccomp(readFileSync(profile, "utf8")));
    writeFileSync(join(this.#folder, "storage.conf"), storageConf(this.#folder));
    writeFileSync(join(this.#folder, "containers.conf"), CONTAINERS_CONF);
  }

  start(args: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn(this.#program, ["--log-level=fatal", ...args], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  /** @param input a descriptor for its standard input. */
  ask(
    args: readonly string[],
    input?: number,
  ): { readonly ok: boolean; readonly said: string; readonly errors: string } {
    const { status, stdout, stderr, error } = spawnSync(
      this.#program,
      ["--log-level=fatal", ...args],
      {
        cwd: this.#folder,
        env: this.#environment,
        stdio: [input ?? "ignore", "pipe", "pipe"],
        maxBuffer: LARGEST_ANSWER,
      },
    );
    const errors = error === undefined ? stderr.toString() : error.message;
    return { ok: status === 0, said: error === undefined ? stdout.toString() : "", errors };
  }

  /** Ends every container of this bot, those included that somebody who was killed has left. */
  endAll(): void {
    this.ask(["rm", "--all", "--force", "--time=0"]);
  }

  /** By Podman itself: what an image has of other owners is not for a plain user to remove. */
  forgetImages(): void {
    this.ask(["rmi", "--all", "--force"]);
  }
}
