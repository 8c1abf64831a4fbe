import type { Bridge } from "./Bridge.ts";
import type { BridgeEnd, BridgeLetter, BridgeReceived, BridgeSent } from "./BridgeEnd.ts";

/** The bridge of this process, and the rule of who takes whose messages. */
export class LocalBridge implements BridgeEnd {
  readonly #bridge: Bridge;
  readonly #takes: (to: string, from: string) => boolean;

  /** @param takes whether a bot has the bridge, and takes what another one writes. */
  constructor(bridge: Bridge, takes: (to: string, from: string) => boolean) {
    this.#bridge = bridge;
    this.#takes = takes;
  }

  async send(from: string, letter: BridgeLetter): Promise<BridgeSent> {
    if (!this.#takes(letter.to, from)) return { refused: "not-taken" };
    return this.#bridge.send({ from, ...letter });
  }

  async receive(
    bot: string,
    options: { readonly most: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<BridgeReceived> {
    const { most, waitMs, signal } = options;
    if (waitMs > 0)
      await this.#bridge.arrival(bot, AbortSignal.any([signal, AbortSignal.timeout(waitMs)]));
    // Who has gone reads nothing; what waits isn't counted as read.
    if (signal.aborted) return { messages: [], more: false };
    const messages = await this.#bridge.receive(bot, most);
    return {
      messages: messages.map(({ id, from, at, text }) => ({ id, from, at, text })),
      more: this.#bridge.waiting(bot) > messages.length,
    };
  }

  acknowledge(bot: string, ids: readonly string[]): Promise<number> {
    return this.#bridge.acknowledge(bot, ids);
  }

  waiting(bot: string): Promise<number> {
    return Promise.resolve(this.#bridge.waiting(bot));
  }

  taking(from: string, bots: readonly string[]): Promise<readonly string[]> {
    return Promise.resolve(bots.filter((to) => this.#takes(to, from)));
  }
}
