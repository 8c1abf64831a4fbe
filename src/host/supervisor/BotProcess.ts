import {
  proveSeatbelt,
  startWalled,
  type CompiledWall,
  type WalledProcess,
} from "../../wall/index.ts";
import { answersHealth } from "../answersHealth.ts";
import type { LogFile } from "../LogFile.ts";
import { dialShared } from "../shared/dialShared.ts";
import type { PluginLaunch } from "../pluginLaunch.ts";
import type { ProcessStatus } from "../status.ts";
import type { BrokerProcess, HeldListener } from "./BrokerProcess.ts";
import { closeHandle, listenerOf, type LaunchMessage } from "./launchMessages.ts";
import { Lifecycle } from "./Lifecycle.ts";

/** Everything that starting a bot depends on; when it is the same, the bot need not be restarted. */
export interface BotLaunch {
  readonly name: string;
  readonly wall: CompiledWall;
  /** Of its OpenClaw. */
  readonly openclaw: string;
  readonly plugins: readonly PluginLaunch[];
  /** The folder of OpenClaw's state, on the host; the bot writes it. */
  readonly state: string;
  readonly launcher: string;
  readonly bwrap: string;
  /** Present when the supervisor is root: the bot's own uid and gid. */
  readonly uid?: number;
  /** Only its owner enters it; outside of every wall. */
  readonly run: string;
  /** Of the ingress, on 127.0.0.1. */
  readonly port: number;
  /** Of the gateway on the host's 127.0.0.1, where the bot has no network of its own. */
  readonly gateway?: number;
}

const POLL_STARTING_MS = 400;
/** Each look leaves a line in the record, as every call does. */
const POLL_RUNNING_MS = 60_000;
const STOP_GRACE_MS = 10_000;

/** One bot: its wall, its sockets, its health. */
export class BotProcess {
  readonly launch: BotLaunch;
  readonly lifecycle: Lifecycle;
  readonly #log: LogFile;
  readonly #broker: BrokerProcess;
  #process: WalledProcess | undefined;
  #confined: number | undefined;
  #listeners: HeldListener[] = [];
  /** Made by others, and theirs to close. */
  readonly #lent: readonly HeldListener[];
  /** Ids of the dials that were asked for; the launcher answers in order. */
  #dials: number[] = [];
  #poll: NodeJS.Timeout | undefined;

  constructor(
    launch: BotLaunch,
    log: LogFile,
    broker: BrokerProcess,
    lent: readonly HeldListener[] = [],
  ) {
    this.launch = launch;
    this.#lent = lent;
    this.#log = log;
    this.#broker = broker;
    this.lifecycle = new Lifecycle(
      () => this.#launch(),
      (text) => this.#log.note(text),
    );
  }

  get listeners(): readonly HeldListener[] {
    return this.#listeners;
  }

  /** Host pid of the confined process itself, once it is known. */
  status(): ProcessStatus {
    return this.lifecycle.status(this.#confined);
  }

  /** Makes a connection to the gateway inside; the broker gets it, or why not. */
  dial(id: number): void {
    if (this.#process === undefined) {
      this.#broker.giveConnection(id, { error: "ENOTCONN" });
      return;
    }
    const { gateway, uid = process.getuid?.() ?? -1 } = this.launch;
    if (gateway === undefined) {
      this.#dials.push(id);
      this.#process.send({ dial: true });
      return;
    }
    void dialShared(gateway, uid).then((outcome) => this.#broker.giveConnection(id, outcome));
  }

  async stop(): Promise<void> {
    this.lifecycle.stop();
    clearTimeout(this.#poll);
    const running = this.#process;
    if (running === undefined) return;
    running.kill("SIGTERM");
    const timer = setTimeout(() => running.kill("SIGKILL"), STOP_GRACE_MS);
    await running.exited;
    clearTimeout(timer);
  }

  async #launch(): Promise<void> {
    const { name, wall, launcher, bwrap, uid, run } = this.launch;
    if (wall.seatbelt !== undefined) {
      await proveSeatbelt(wall, run, launcher);
      if (this.lifecycle.state === "stopped") return;
    }
    const running = startWalled(wall, {
      launcher,
      bwrap,
      ...(uid === undefined ? {} : { uid, gid: uid }),
      stdout: "pipe",
      stderr: "pipe",
      onMessage: (message, handle) => this.#receive(message as LaunchMessage, handle),
    });
    this.#process = running;
    this.#listeners = [...this.#lent];
    for (const listener of this.#lent) this.#broker.giveListener(listener);
    running.stdout?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    running.stderr?.on("data", (chunk: Buffer) => this.#log.write(chunk));
    void running.exited.then((end) => {
      if (this.#process !== running) return;
      this.#process = undefined;
      this.#confined = undefined;
      clearTimeout(this.#poll);
      this.#broker.drop(name);
      for (const listener of this.#listeners)
        if (!this.#lent.includes(listener)) closeHandle(listener.handle);
      this.#listeners = [];
      for (const id of this.#dials) this.#broker.giveConnection(id, { error: "ECONNRESET" });
      this.#dials = [];
      this.lifecycle.ended(end);
    });
    this.#confined = await running.inner();
    this.#watch();
  }

  #receive(message: LaunchMessage, handle: unknown): void {
    switch (message.type) {
      case "listener": {
        const listener: HeldListener = { message: listenerOf(message, this.launch), handle };
        this.#listeners.push(listener);
        this.#broker.giveListener(listener);
        break;
      }
      case "dialed": {
        const id = this.#dials.shift();
        if (id !== undefined) this.#broker.giveConnection(id, { handle });
        else closeHandle(handle);
        break;
      }
      case "dial-failed": {
        const id = this.#dials.shift();
        if (id !== undefined) this.#broker.giveConnection(id, { error: message.error });
        break;
      }
      default:
        message satisfies never;
    }
  }

  /** Asks the gateway through the ingress, the way its users reach it. */
  #watch(): void {
    const soon = this.lifecycle.state === "starting" || this.lifecycle.state === "unready";
    this.#poll = setTimeout(
      () => {
        void answersHealth(this.launch.port).then((healthy) => {
          if (this.#process === undefined) return;
          this.lifecycle.answers(healthy);
          this.#watch();
        });
      },
      soon ? POLL_STARTING_MS : POLL_RUNNING_MS,
    );
  }
}
