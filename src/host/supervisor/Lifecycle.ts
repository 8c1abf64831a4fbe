import { backOff } from "../backOff.ts";
import type { ProcessState, ProcessStatus } from "../status.ts";

/** How a process ended. */
export interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

/**
 * Keeps one process running: starts it, notices its end, starts it again with growing pauses, and
 * stops it when told. What it means to start and to stop is the caller's.
 */
export class Lifecycle {
  readonly #start: () => Promise<void>;
  readonly #note: (text: string) => void;
  #state: ProcessState = "stopped";
  #since = new Date();
  #started = Date.now();
  #restarts = 0;
  #failures = 0;
  #lastEnd: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #startError: unknown;
  #watchers: (() => void)[] = [];

  /**
   * @param start starts the process; what it throws counts as an end.
   * @param note gets one line for the log at each turn.
   */
  constructor(start: () => Promise<void>, note: (text: string) => void) {
    this.#start = start;
    this.#note = note;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** What the last start threw, until the next one. */
  get startError(): unknown {
    return this.#startError;
  }

  /** Starts now, whatever pause was running. */
  async start(): Promise<void> {
    clearTimeout(this.#timer);
    this.#started = Date.now();
    this.#startError = undefined;
    this.#enter("starting");
    try {
      await this.#start();
    } catch (error) {
      this.#startError = error;
      this.#note(`could not start: ${error instanceof Error ? error.message : "unknown failure"}`);
      this.ended({ code: null, signal: null });
    }
  }

  /** To be called when the process answers, or answers no more. */
  answers(yes: boolean): void {
    if (this.#state === "starting" && yes) this.#note("ready");
    if (yes && (this.#state === "starting" || this.#state === "unready")) this.#enter("ready");
    if (!yes && this.#state === "ready") this.#enter("unready");
  }

  /** To be called when the process has ended. Starts it again after a pause unless it was stopped. */
  ended({ code, signal }: End): void {
    if (this.#state === "stopped" || this.#state === "waiting") return;
    this.#lastEnd = signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
    const { failures, delayMs } = backOff(this.#failures, Date.now() - this.#started);
    this.#failures = failures;
    this.#note(`ended with ${this.#lastEnd}; starting again in ${delayMs / 1000} s`);
    this.#enter("waiting");
    this.#timer = setTimeout(() => {
      this.#restarts += 1;
      void this.start();
    }, delayMs);
  }

  /** From now on an end is wanted. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#enter("stopped");
  }

  /** Whether it became ready before it ended, was stopped, or `timeoutMs` passed. */
  async becomesReady(timeoutMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const look = (): void => {
      if (this.#state === "ready") resolve(true);
      if (this.#state === "waiting" || this.#state === "stopped") resolve(false);
    };
    this.#watchers.push(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#watchers = this.#watchers.filter((watcher) => watcher !== look);
    }
  }

  /** @param pid of the process on the host, if it runs. */
  status(pid: number | undefined): ProcessStatus {
    const runs = this.#state !== "waiting" && this.#state !== "stopped";
    return {
      state: this.#state,
      ...(runs && pid !== undefined ? { pid } : {}),
      since: this.#since.toISOString(),
      restarts: this.#restarts,
      ...(this.#lastEnd === undefined ? {} : { lastEnd: this.#lastEnd }),
    };
  }

  #enter(state: ProcessState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#since = new Date();
    for (const watcher of this.#watchers) watcher();
  }
}
