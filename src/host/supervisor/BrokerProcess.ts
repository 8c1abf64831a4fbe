import { isDeepStrictEqual } from "node:util";
import type { Ask, BrokerConfig, FromBroker, ToBroker } from "../../broker/index.ts";
import type { StoreRequest } from "../../secrets/index.ts";
import { startWalled, type CompiledWall, type WalledProcess } from "../../wall/index.ts";
import { HostError } from "../HostError.ts";
import type { LogFile } from "../LogFile.ts";
import { readStores, type StoreContext } from "../readStores.ts";
import type { HealthWarning, ProcessStatus } from "../status.ts";
import { closeHandle } from "./launchMessages.ts";
import { Lifecycle } from "./Lifecycle.ts";

/** A socket made inside a bot's namespace, as a raw handle this process never reads from. */
export interface HeldListener {
  readonly message: Extract<ToBroker, { type: "listener" }>;
  readonly handle: unknown;
}

export interface BrokerCallbacks {
  /** The ingress wants a connection into a bot's namespace; answer with `giveConnection`. */
  readonly onDial: (bot: string, id: number) => void;
  /** A command wants a connection to its service's program; answer with `giveConnection`. None is there if absent. */
  readonly onDialProgram?: (bot: string, grant: string, id: number) => void;
  /** A call waits for the owner's word. */
  readonly onAsk: (ask: Ask) => void;
  /** Every listener there is now: a broker that was started again gets them all. */
  readonly listeners: () => readonly HeldListener[];
}

const READY_MS = 30_000;

/** The one broker of a deployment, started again with the same sockets whenever it ends. */
export class BrokerProcess {
  readonly lifecycle: Lifecycle;
  #wall: CompiledWall | undefined;
  #launcher = "";
  readonly #log: LogFile;
  readonly #callbacks: BrokerCallbacks;
  readonly #health = new Map<string, HealthWarning>();
  readonly #asks = new Map<string, Ask>();
  #process: WalledProcess | undefined;
  #config: BrokerConfig | undefined;
  #stores: StoreContext | undefined;
  readonly #refreshing = new Map<number, () => void>();
  #lastRefresh = 0;
  #answer: ((message: FromBroker) => void) | undefined;

  constructor(options: { readonly log: LogFile; readonly callbacks: BrokerCallbacks }) {
    this.#log = options.log;
    this.#callbacks = options.callbacks;
    this.lifecycle = new Lifecycle(
      () => this.#launch(),
      (text) => this.#log.note(text),
    );
  }

  /**
   * Says which wall the broker runs in. A running broker in another one ends, since a wall can't be
   * widened (by the port of a new bot, say); `configure` then starts it anew with the same sockets.
   */
  async useWall(wall: CompiledWall, launcher: string): Promise<void> {
    if (this.#launcher === launcher && isDeepStrictEqual(wall, this.#wall)) return;
    await this.stop();
    this.#wall = wall;
    this.#launcher = launcher;
  }

  /**
   * Puts a configuration in force for the next call; the one before stays if it is refused.
   *
   * @throws HostError `broker-refused` with the broker's own reason.
   */
  async configure(config: BrokerConfig, stores?: StoreContext): Promise<void> {
    const before = this.#config;
    const storesBefore = this.#stores;
    this.#config = config;
    this.#stores = stores ?? this.#stores;
    try {
      if (this.#process === undefined) {
        await this.lifecycle.start();
        if (this.lifecycle.state !== "ready")
          throw this.lifecycle.startError ?? this.#didNotStart();
      } else {
        await this.#sendConfig();
      }
    } catch (error) {
      this.#config = before;
      this.#stores = storesBefore;
      if (before === undefined) await this.stop();
      throw error;
    }
  }

  /** Returns when every secret was read anew, or failed to be; at once when nothing runs. */
  async refreshSecrets(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    const id = ++this.#lastRefresh;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#refreshing.set(id, resolve);
    running.send({ type: "refresh-secrets", id } satisfies ToBroker);
    await Promise.race([promise, running.exited]);
    this.#refreshing.delete(id);
  }

  giveListener({ message, handle }: HeldListener): void {
    this.#process?.send(message, handle);
  }

  /** A connection is the broker's alone from then on: ours is closed once the broker has its own. */
  giveConnection(
    id: number,
    outcome: { readonly handle: unknown } | { readonly error: string },
  ): void {
    const base = { type: "gateway-connection", id } as const;
    if ("error" in outcome) {
      this.#process?.send({ ...base, error: outcome.error } satisfies ToBroker);
      return;
    }
    const { handle } = outcome;
    const close = (): void => closeHandle(handle);
    if (this.#process === undefined) close();
    else this.#process.send(base satisfies ToBroker, handle, close);
  }

  drop(bot: string): void {
    this.#process?.send({ type: "drop", bot } satisfies ToBroker);
  }

  status(): ProcessStatus {
    return this.lifecycle.status(this.#process?.pid);
  }

  health(): HealthWarning[] {
    return [...this.#health.values()];
  }

  /** What waits for the owner's word, in the order it was asked. */
  get asks(): readonly Ask[] {
    return [...this.#asks.values()];
  }

  /** Gives the owner's word; whether anything still waited for it. */
  answer(id: string, verdict: "allow" | "deny", scope: "once" | "hour"): boolean {
    // Not waiting any more as soon as it is answered, whenever the broker says so.
    if (!this.#asks.delete(id)) return false;
    this.#process?.send({ type: "answer", id, verdict, scope } satisfies ToBroker);
    return true;
  }

  /** Ends it for good, after what runs has had `graceMs` to finish. */
  async stop(graceMs = 2_000): Promise<void> {
    this.lifecycle.stop();
    const running = this.#process;
    if (running === undefined) return;
    running.send({ type: "stop", graceMs } satisfies ToBroker);
    const timer = setTimeout(() => running.kill("SIGKILL"), graceMs + 1_000);
    await running.exited;
    clearTimeout(timer);
  }

  async #launch(): Promise<void> {
    if (this.#wall === undefined) throw this.#didNotStart();
    const started = Promise.withResolvers<void>();
    const running = startWalled(this.#wall, {
      launcher: this.#launcher,
      stdout: "pipe",
      stderr: "pipe",
      onMessage: (message) => {
        const parsed = message as FromBroker;
        if (parsed.type === "started") started.resolve();
        else this.#receive(parsed);
      },
    });
    this.#process = running;
    running.stdout?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    running.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    void running.exited.then((end) => {
      if (this.#process !== running) return;
      this.#process = undefined;
      this.#health.clear();
      this.#asks.clear();
      started.reject(this.#didNotStart());
      this.#answer?.({ type: "refused", code: "ended", message: "the broker ended" });
      this.lifecycle.ended(end);
    });
    const timer = setTimeout(() => running.kill("SIGKILL"), READY_MS);
    try {
      await started.promise;
      await this.#sendConfig();
      for (const listener of this.#callbacks.listeners()) this.giveListener(listener);
    } finally {
      clearTimeout(timer);
    }
    this.lifecycle.answers(true);
  }

  #receive(message: FromBroker): void {
    switch (message.type) {
      case "started":
        break;
      case "configured":
      case "refused":
        this.#answer?.(message);
        break;
      case "read-secrets":
        void this.#readSecrets(message.id, message.request);
        break;
      case "secrets-refreshed":
        this.#refreshing.get(message.id)?.();
        break;
      case "dial-gateway":
        this.#callbacks.onDial(message.bot, message.id);
        break;
      case "dial-program":
        if (this.#callbacks.onDialProgram === undefined)
          this.giveConnection(message.id, { error: "ENOENT" });
        else this.#callbacks.onDialProgram(message.bot, message.grant, message.id);
        break;
      case "health": {
        const { key, warning, remedy } = message;
        this.#health.set(key, { key, warning, ...(remedy === undefined ? {} : { remedy }) });
        break;
      }
      case "health-clear":
        this.#health.delete(message.key);
        break;
      case "ask":
        this.#asks.set(message.ask.id, message.ask);
        this.#callbacks.onAsk(message.ask);
        break;
      case "ask-settled":
        this.#asks.delete(message.id);
        break;
      default:
        message satisfies never;
    }
  }

  /** Has what the broker asks for read by a process of its own; what comes back is sealed. */
  async #readSecrets(id: number, request: StoreRequest): Promise<void> {
    const asking = this.#process;
    const results =
      this.#stores === undefined ? [] : await readStores(request, this.#stores, this.#launcher);
    asking?.send({ type: "secrets-read", id, results } satisfies ToBroker);
  }

  async #sendConfig(): Promise<void> {
    const config = this.#config;
    if (config === undefined) return;
    const { promise, resolve } = Promise.withResolvers<FromBroker>();
    this.#answer = resolve;
    this.#process?.send({ type: "configure", config } satisfies ToBroker);
    const answer = await promise;
    this.#answer = undefined;
    if (answer.type !== "refused") return;
    const { message, hint } = answer;
    throw new HostError("broker-refused", message, hint === undefined ? {} : { hint });
  }

  #didNotStart(): HostError {
    return new HostError("broker-refused", "the broker did not start", {
      hint: "look at: seawall logs --broker",
    });
  }
}
