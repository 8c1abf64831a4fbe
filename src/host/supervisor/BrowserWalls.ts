import type { ToGate } from "../../services/index.ts";
import { startWalled, type CompiledWall, type WalledProcess } from "../../wall/index.ts";
import type { LogFile } from "../LogFile.ts";
import { closeHandle, type LaunchMessage } from "./launchMessages.ts";

/** Everything that starting one bot's browser takes. */
export interface BrowserLaunch {
  readonly bot: string;
  readonly wall: CompiledWall;
  readonly launcher: string;
  readonly bwrap: string;
  /** Present when the supervisor is root: a uid that is neither the bot's nor anybody else's. */
  readonly uid?: number;
}

/** The browsers' walls. Each is made when the gate asks for it, and goes when it says so. */
export class BrowserWalls {
  readonly #log: Pick<LogFile, "write" | "note">;
  /** Says something to the gate; a handle stays open until `onSent`. */
  readonly #tell: (message: ToGate, handle?: unknown, onSent?: () => void) => void;
  #launches: ReadonlyMap<string, BrowserLaunch> = new Map();
  readonly #running = new Map<string, WalledProcess>();

  constructor(
    log: Pick<LogFile, "write" | "note">,
    tell: (message: ToGate, handle?: unknown, onSent?: () => void) => void,
  ) {
    this.#log = log;
    this.#tell = tell;
  }

  /** Says which browsers there may be; ends those that there may not be any more. */
  use(launches: readonly BrowserLaunch[]): void {
    this.#launches = new Map(launches.map((launch) => [launch.bot, launch]));
    for (const bot of this.#running.keys()) if (!this.#launches.has(bot)) this.stop(bot);
  }

  /** Host pids of the outer processes, by bot. */
  get running(): ReadonlyMap<string, WalledProcess> {
    return this.#running;
  }

  start(bot: string): void {
    const launch = this.#launches.get(bot);
    if (launch === undefined) {
      this.#tell({ type: "browser-ended", bot, reason: "no grant of this bot has one" });
      return;
    }
    if (this.#running.has(bot)) return;
    const started = startWalled(launch.wall, {
      launcher: launch.launcher,
      bwrap: launch.bwrap,
      ...(launch.uid === undefined ? {} : { uid: launch.uid, gid: launch.uid }),
      stdout: "pipe",
      stderr: "pipe",
      onMessage: (message, handle) => {
        const { type, ...rest } = message as LaunchMessage;
        if (type !== "listener" || this.#running.get(bot) !== started) closeHandle(handle);
        else {
          const listener = rest as { protocol: "tcp" | "udp"; port: number; family: 4 | 6 };
          // The gate's alone from then on.
          this.#tell({ type, bot, ...listener }, handle, () => closeHandle(handle));
        }
      },
    });
    this.#running.set(bot, started);
    started.stdout?.resume();
    started.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    // What became of it is in `exited`.
    started.inner().catch(() => undefined);
    void started.exited.then(({ code, signal, refusal }) => {
      if (this.#running.get(bot) === started) this.#running.delete(bot);
      const reason = refusal ?? `ended with ${signal ?? `status ${code}`}`;
      this.#log.note(`the browser of ${bot}: ${reason}`);
      this.#tell({ type: "browser-ended", bot, reason });
    });
  }

  stop(bot: string): void {
    this.#running.get(bot)?.kill("SIGKILL");
  }

  /** Ends them all. */
  async stopAll(): Promise<void> {
    const all = [...this.#running.values()];
    for (const each of all) each.kill("SIGKILL");
    await Promise.all(all.map(({ exited }) => exited));
  }
}
