import { connect } from "node:net";
import type { Ask } from "../protocol.ts";
import type { TellSocket } from "./ServiceConfig.ts";

/** A bot that asks without end must not bury its owner: what comes within this time is told together. */
const PAUSE_MS = 3_000;
const MOST_HELD = 100;
const TIMEOUT_MS = 15_000;

export interface TellerOptions {
  readonly sockets: () => readonly TellSocket[];
  readonly stillWaits: (id: string) => boolean;
  /** A way that couldn't be had, and why; `undefined` when it could. */
  readonly health: (way: string, why: string | undefined) => void;
  readonly pauseMs?: number;
}

/** Tells who is behind sockets that calls wait for the owner's word: other brokers for their chats, and programs. */
export class Teller {
  readonly #options: TellerOptions;
  #held: Ask[] = [];
  #pause: NodeJS.Timeout | undefined;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  tell(ask: Ask): void {
    if (this.#options.sockets().length === 0) return;
    if (this.#held.length < MOST_HELD) this.#held.push(ask);
    if (this.#pause === undefined) this.#flush();
  }

  #flush(): void {
    this.#pause = undefined;
    const asks = this.#held.filter(({ id }) => this.#options.stillWaits(id));
    this.#held = [];
    if (asks.length === 0) return;
    this.#pause = setTimeout(() => this.#flush(), this.#options.pauseMs ?? PAUSE_MS).unref();
    for (const socket of this.#options.sockets()) this.#say(socket, asks);
  }

  /** A broker gets all in one line and answers; a program gets a line for each, and then the end. */
  #say({ way, path, to }: TellSocket, asks: readonly Ask[]): void {
    const lines = to === "broker" ? [{ asks }] : asks;
    const socket = connect({ path, allowHalfOpen: true });
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("it takes too long")));
    socket.once("error", (error) => this.#options.health(way, error.message));
    socket.once("connect", () => this.#options.health(way, undefined));
    socket.resume();
    socket.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}
