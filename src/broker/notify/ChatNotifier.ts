import { isDeepStrictEqual } from "node:util";
import type { BrokerParts, InForce } from "../call/BrokerParts.ts";
import type { Chat, Deployment } from "../Deployment.ts";
import type { Ask } from "../protocol.ts";
import { chatText } from "./chatText.ts";
import { scrub } from "./scrub.ts";
import { sendToChat } from "./sendToChat.ts";

/** A bot that asks without end must not bury its owner: what comes within this time is told together. */
const PAUSE_MS = 3_000;
/** Of brokers beside this one; the gate lets far fewer of its own wait. */
const MOST_HELD = 100;

/**
 * Tells the owner in chats that calls wait for their word, by the grants that the configuration names.
 * Nothing is read back, so a chat can't answer. A way that fails is a warning; no ask waits for it.
 */
export class ChatNotifier {
  readonly #parts: BrokerParts;
  readonly #pauseMs: number;
  /** Not told yet, by id; the gate bounds how many wait. */
  readonly #held = new Map<string, Ask>();
  #pause: NodeJS.Timeout | undefined;

  constructor(parts: BrokerParts, pauseMs = PAUSE_MS) {
    this.#parts = parts;
    this.#pauseMs = pauseMs;
  }

  /** Tells now, or together with others once a pause is over. Never throws. */
  tell(ask: Ask): void {
    if (this.#parts.inForce()?.deployment.chats.length === 0) return;
    if (this.#held.size >= MOST_HELD) return;
    this.#held.set(ask.id, ask);
    if (this.#pause === undefined) this.#flush();
  }

  /** It waits no more. */
  forget(id: string): void {
    this.#held.delete(id);
  }

  /** Takes back the warnings of ways that are no more. */
  retain({ chats }: Pick<Deployment, "chats">): void {
    const keys = new Set(chats.map(keyOf));
    for (const key of this.#parts.warned)
      if (key.startsWith("notify:") && !keys.has(key)) this.#clear(key);
  }

  close(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#held.clear();
  }

  #flush(): void {
    this.#pause = undefined;
    const asks = [...this.#held.values()];
    this.#held.clear();
    const inForce = this.#parts.inForce();
    if (asks.length === 0 || inForce === undefined) return;
    this.#pause = setTimeout(() => {
      this.#flush();
    }, this.#pauseMs).unref();
    for (const chat of inForce.deployment.chats) void this.#send(chat, asks, inForce);
  }

  async #send(chat: Chat, asks: readonly Ask[], inForce: InForce): Promise<void> {
    const { deployment } = inForce;
    const over = new AbortController();
    const timer = setTimeout(() => {
      over.abort();
    }, this.#parts.timeouts.notify);
    const leave = this.#parts.running.add(
      {
        recheck: (next) => next.chats.some((other) => isSame(other, chat)),
        cut: (code) => {
          over.abort(code);
        },
      },
      deployment,
    );
    try {
      const text = chatText(asks, (part) => scrub(deployment, part));
      const failure = await sendToChat(this.#parts, inForce, chat, text, over.signal);
      if (failure === undefined) this.#clear(keyOf(chat));
      else this.#warn(chat, failure);
    } catch {
      this.#warn(chat, "a bug of the broker");
    } finally {
      leave();
      clearTimeout(timer);
    }
  }

  #warn(chat: Chat, why: string): void {
    const key = keyOf(chat);
    // It may have been taken away while the message was on its way.
    if (this.#parts.inForce()?.deployment.chats.some((each) => keyOf(each) === key) !== true)
      return;
    const { bot, grant } = chat.plan;
    this.#parts.warned.add(key);
    this.#parts.send({
      type: "health",
      key,
      warning: `you could not be told by ${grant} of ${bot} that a call waits: ${why}`,
      remedy: "see what waits with: seawall approve",
    });
  }

  #clear(key: string): void {
    if (this.#parts.warned.delete(key)) this.#parts.send({ type: "health-clear", key });
  }
}

function keyOf({ plan: { bot, grant, to } }: Chat): string {
  return `notify:chat ${bot} ${grant} ${to}`;
}

/** To the same chat, with the same secret, to the same place by the same way. */
function isSame(a: Chat, b: Chat): boolean {
  return (
    isDeepStrictEqual(a.plan, b.plan) &&
    a.granted.grant.secret === b.granted.grant.secret &&
    isDeepStrictEqual(a.granted.grant.dial, b.granted.grant.dial) &&
    isDeepStrictEqual(a.granted.host, b.granted.host)
  );
}
