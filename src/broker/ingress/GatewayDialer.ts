import { Socket } from "node:net";
import type { RawHandle } from "../listeners/Listeners.ts";
import type { FromBroker, ToBroker } from "../protocol.ts";

/** The dialer inside the namespace answers at once unless it is dead. */
const ANSWER_MS = 10_000;

interface Asked {
  readonly bot: string;
  readonly settle: (socket: Socket | undefined) => void;
}

/** Gets connections to gateways, which only somebody inside their namespaces can make. */
export class GatewayDialer {
  readonly #send: (message: FromBroker) => void;
  readonly #asked = new Map<number, Asked>();
  #next = 1;

  constructor(send: (message: FromBroker) => void) {
    this.#send = send;
  }

  /** A connected socket, or `undefined` when there is none to be had. */
  dial(bot: string): Promise<Socket | undefined> {
    return this.#ask(bot, (id) => ({ type: "dial-gateway", bot, id }));
  }

  /** The same, to the program of a service that a grant of the bot's has. */
  dialProgram(bot: string, grant: string): Promise<Socket | undefined> {
    return this.#ask(bot, (id) => ({ type: "dial-program", bot, grant, id }));
  }

  #ask(bot: string, message: (id: number) => FromBroker): Promise<Socket | undefined> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#settle(id, undefined);
      }, ANSWER_MS);
      this.#asked.set(id, {
        bot,
        settle: (socket) => {
          clearTimeout(timer);
          resolve(socket);
        },
      });
      this.#send(message(id));
    });
  }

  /** The supervisor's answer. A handle nobody waits for any more is closed. */
  answer(
    message: Extract<ToBroker, { type: "gateway-connection" }>,
    handle: RawHandle | undefined,
  ): void {
    if (handle === undefined) {
      this.#settle(message.id, undefined);
      return;
    }
    if (!this.#asked.has(message.id)) {
      handle.close();
      return;
    }
    // `handle` is what net's own listeners pass here for a connection they accepted (lib/net.js); the type leaves it out.
    const options: object = { handle, allowHalfOpen: true };
    this.#settle(message.id, new Socket(options));
  }

  /** The bot has gone: whoever waits for its gateway waits in vain. */
  drop(bot: string): void {
    for (const [id, asked] of this.#asked) if (asked.bot === bot) this.#settle(id, undefined);
  }

  #settle(id: number, socket: Socket | undefined): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    asked?.settle(socket);
  }
}
