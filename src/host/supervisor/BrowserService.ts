import type { FromGate, ToGate } from "../../services/index.ts";
import { startWalled, type WalledProcess } from "../../wall/index.ts";
import type { BrowserSetup } from "../browserSetup.ts";
import { HostError } from "../HostError.ts";
import type { LogFile } from "../LogFile.ts";
import type { HealthWarning } from "../status.ts";
import { BrowserWalls } from "./BrowserWalls.ts";
import { closeHandle } from "./launchMessages.ts";
import { Lifecycle } from "./Lifecycle.ts";
import { socketPair } from "./socketPair.ts";

const READY_MS = 30_000;

/** The bots' browsers and the gate before them: one process for all, started where some bot has a browser. */
export class BrowserService {
  readonly #log: LogFile;
  /** Where connections are made; only the supervisor's user may enter it. */
  readonly #folder: string;
  readonly #walls: BrowserWalls;
  readonly #lifecycle: Lifecycle;
  #setup: BrowserSetup | undefined;
  #gate: WalledProcess | undefined;
  #configured: (() => void) | undefined;

  constructor(log: LogFile, folder: string) {
    this.#log = log;
    this.#folder = folder;
    this.#walls = new BrowserWalls(log, (message, handle, onSent) => {
      this.#tell(message, handle, onSent);
    });
    this.#lifecycle = new Lifecycle(
      () => this.#launch(),
      (text) => log.note(`the browsers' gate: ${text}`),
    );
  }

  /**
   * Puts a setup in force. Browsers whose grant stays run on.
   *
   * @throws HostError `browser` when the gate doesn't start.
   */
  async use(setup: BrowserSetup | undefined): Promise<void> {
    this.#setup = setup;
    if (setup === undefined) {
      await this.stop();
      return;
    }
    this.#walls.use(setup.launches);
    if (this.#gate !== undefined) {
      await this.#configure();
      return;
    }
    await this.#lifecycle.start();
    if (this.#lifecycle.state === "ready") return;
    await this.stop();
    throw new HostError("browser", "the process before the bots' browsers did not start", {
      hint: "look at logs/browser.log in the state folder",
      cause: this.#lifecycle.startError,
    });
  }

  /** A connection to the gate for one request of a bot's: a raw handle, or undefined when there is none. */
  async connect(bot: string): Promise<object | undefined> {
    const gate = this.#gate;
    if (gate === undefined || this.#lifecycle.state !== "ready") return undefined;
    const [given, kept] = await socketPair(this.#folder);
    gate.send({ type: "call", bot } satisfies ToGate, kept, () => closeHandle(kept));
    return given;
  }

  /** Host pids of the gate and of each browser's outer process. */
  pids(): {
    readonly gate: number | undefined;
    readonly browsers: readonly (number | undefined)[];
  } {
    return {
      gate: this.#gate?.pid,
      browsers: [...this.#walls.running.values()].map(({ pid }) => pid),
    };
  }

  /** What a person should know: that there are no pages to be had. */
  health(): HealthWarning[] {
    if (this.#setup === undefined || this.#lifecycle.state === "ready") return [];
    const how = this.#lifecycle.status(undefined).lastEnd ?? "does not answer";
    return [
      {
        key: "browser",
        warning: `the process before the bots' browsers: ${how}`,
        remedy: "look at logs/browser.log in the state folder",
      },
    ];
  }

  async stop(): Promise<void> {
    this.#lifecycle.stop();
    const gate = this.#gate;
    gate?.send({ type: "stop" } satisfies ToGate);
    gate?.kill("SIGTERM");
    await this.#walls.stopAll();
    gate?.kill("SIGKILL");
    await gate?.exited;
  }

  async #launch(): Promise<void> {
    const setup = this.#setup;
    if (setup === undefined) throw new HostError("browser", "no bot has a browser");
    const started = Promise.withResolvers<void>();
    const gate = startWalled(setup.gate, {
      launcher: setup.launcher,
      stdout: "pipe",
      stderr: "pipe",
      onMessage: (message) => {
        const said = message as FromGate;
        if (said.type === "started") started.resolve();
        else this.#hear(said);
      },
    });
    this.#gate = gate;
    gate.stdout?.resume();
    gate.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    void gate.exited.then((end) => {
      if (this.#gate !== gate) return;
      this.#gate = undefined;
      started.reject(new HostError("browser", end.refusal ?? "the process ended"));
      this.#configured?.();
      // Their sockets have gone with it.
      void this.#walls.stopAll();
      this.#lifecycle.ended(end);
    });
    const timer = setTimeout(() => gate.kill("SIGKILL"), READY_MS);
    try {
      await started.promise;
      await this.#configure();
    } finally {
      clearTimeout(timer);
    }
    if (this.#gate === gate) this.#lifecycle.answers(true);
  }

  async #configure(): Promise<void> {
    if (this.#setup === undefined) return;
    const { bots, certificate, executable } = this.#setup;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#configured = resolve;
    this.#tell({ type: "configure", bots, certificate, executable });
    await promise;
    this.#configured = undefined;
  }

  #hear(said: FromGate): void {
    switch (said.type) {
      case "started":
        break;
      case "configured":
        this.#configured?.();
        break;
      case "start-browser":
        this.#walls.start(said.bot);
        break;
      case "stop-browser":
        this.#walls.stop(said.bot);
        break;
      default:
        said satisfies never;
    }
  }

  #tell(message: ToGate, handle?: unknown, onSent?: () => void): void {
    if (this.#gate === undefined) onSent?.();
    else this.#gate.send(message, handle, onSent);
  }
}
