import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { busEnvironment, makeGroup } from "../../wall/index.ts";
import type { ContainerLaunch } from "../containers/containerLaunches.ts";
import { keeperWall } from "../containers/keeperWall.ts";
import type { FromKeeper, ToKeeper } from "../containers/messages.ts";
import { HostError } from "../HostError.ts";
import type { LogFile } from "../LogFile.ts";
import type { HealthWarning } from "../status.ts";
import { Lifecycle } from "./Lifecycle.ts";

/** An image may have some gigabytes, which are copied once. */
const READY_MS = 300_000;
const STOP_GRACE_MS = 20_000;

/**
 * The keeper of one bot's containers: outside of the bot's wall, in one of its own that only bubblewrap makes
 * (`keeperWall`), with the bot's rights when this is root.
 */
export class ContainerKeeper {
  readonly launch: ContainerLaunch;
  readonly #log: LogFile;
  readonly #lifecycle: Lifecycle;
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #failure: string | undefined;

  constructor(launch: ContainerLaunch, log: LogFile) {
    this.launch = launch;
    this.#log = log;
    this.#lifecycle = new Lifecycle(
      () => this.#launch(),
      (text) => log.note(`the containers of ${launch.bot}: ${text}`),
    );
  }

  /** Host pid of what it and all of its containers end with, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** @throws HostError `containers` when no container can be started. */
  async start(): Promise<void> {
    await this.#lifecycle.start();
    if (this.#lifecycle.state === "ready") return;
    const cause = this.#lifecycle.startError;
    await this.stop();
    const why = cause instanceof Error ? cause.message : "unknown failure";
    throw new HostError("containers", `bot "${this.launch.bot}" can't have containers: ${why}`, {
      hint: "docs/agents.md says what they need; look at logs/containers.log in the state folder",
      cause,
    });
  }

  /** @param forget for good: what it has kept goes as well. */
  async stop(forget = false): Promise<void> {
    this.#lifecycle.stop();
    const running = this.#process;
    if (running !== undefined) {
      if (running.connected)
        running.send({ type: "stop", forget } satisfies ToKeeper, () => undefined);
      else running.kill("SIGTERM");
      const timer = setTimeout(() => running.kill("SIGKILL"), STOP_GRACE_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    const { folder } = this.launch;
    rmSync(join(folder, "socket", "socket"), { force: true });
    if (!forget) return;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      this.#log.note(`${folder} can't be removed: ${error instanceof Error ? error.message : ""}`);
    }
  }

  health(): HealthWarning[] {
    if (this.#lifecycle.state === "ready" || this.#lifecycle.state === "stopped") return [];
    return [
      {
        key: `containers:${this.launch.bot}`,
        warning: `${this.launch.bot}'s agents have no containers: ${this.#failure ?? "their keeper has ended"}`,
        remedy: "look at logs/containers.log in the state folder",
      },
    ];
  }

  async #launch(): Promise<void> {
    const { group, setup, bwrap, folder, home, live } = this.launch;
    const scope = group?.by === "systemd" ? group.command : [];
    const empty = join(dirname(folder), "empty");
    if (!existsSync(empty)) writeFileSync(empty, "", { mode: 0o444 });
    const node = process.execPath;
    const words = [...scope, bwrap, ...keeperWall({ node, folder, home, live, empty })];
    const [program = bwrap, ...args] = words;
    const made = group?.by === "files" ? makeGroup(group) : undefined;
    const child = spawn(program, args, {
      cwd: "/",
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        ...(group?.by === "systemd" ? busEnvironment() : {}),
      },
      stdio: ["pipe", "pipe", "pipe", "ipc"],
      // Its own session: a Ctrl-C is for the supervisor, which ends things in order.
      detached: true,
    });
    this.#process = child;
    this.#failure = undefined;
    child.stdin?.on("error", () => undefined);
    child.stdout?.resume();
    child.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    child.on("message", (message) => this.#hear(message as FromKeeper, child, ready));
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      made?.remove();
      if (this.#process === child) this.#process = undefined;
      ready.reject(new Error(this.#failure ?? "their keeper ended"));
      exited.resolve();
      this.#lifecycle.ended({ code, signal });
    };
    child.on("error", (error) => {
      if (child.pid !== undefined) return;
      this.#failure = error.message;
      end(null, null);
    });
    child.on("exit", end);
    const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
    try {
      if (child.pid !== undefined) made?.join(child.pid);
      child.send({ type: "setup", setup } satisfies ToKeeper, () => undefined);
      await ready.promise;
    } catch (error) {
      child.kill("SIGTERM");
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#lifecycle.answers(true);
  }

  #hear(said: FromKeeper, child: ChildProcess, ready: PromiseWithResolvers<void>): void {
    switch (said.type) {
      case "started":
        break;
      case "wants-image":
        this.#bringImage(child);
        break;
      case "ready":
        this.#log.note(`the containers of ${this.launch.bot}: by ${said.runtime}`);
        ready.resolve();
        break;
      case "failed":
        this.#failure = said.message;
        ready.reject(new Error(said.message));
        break;
      default:
        said satisfies never;
    }
  }

  /** From the owner's Podman into the keeper's, which can't look into the other. */
  #bringImage(keeper: ChildProcess): void {
    const { setup, environment } = this.launch;
    const saved = spawn(setup.podman, ["--log-level=fatal", "save", setup.image], {
      cwd: "/",
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    saved.on("error", () => keeper.stdin?.end());
    saved.stderr.on("data", (chunk: Buffer) => this.#log.write(chunk));
    const stop = (): void => void saved.kill("SIGKILL");
    keeper.once("exit", stop);
    saved.once("exit", () => keeper.off("exit", stop));
    if (keeper.stdin === null) stop();
    else saved.stdout.pipe(keeper.stdin);
  }
}
