import { DemoError } from "./DemoError.ts";

interface Reply {
  readonly id: string;
  text: string;
  /** When it counts as finished, if nothing happens to it. */
  settlesAt: number;
}

/**
 * OpenClaw sends a reply whole unless told to stream; then it edits every second or so, on a busy
 * machine every two (measured).
 */
const SETTLED_MS = 2000;
const SETTLED_AFTER_EDIT_MS = 5000;

/** What a bot has said to a stand-in and nobody has read yet, in order. */
export class Replies {
  readonly #unread: Reply[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #changed = Promise.withResolvers<void>();

  /** Takes a new message. */
  say(id: string, text: string): void {
    this.#unread.push({ id, text, settlesAt: performance.now() + SETTLED_MS });
    this.#notify();
  }

  /** Puts another text in a message's place; one that has been read already stays as it was. */
  edit(id: string, text: string): void {
    const reply = this.#unread.find((each) => each.id === id);
    if (reply === undefined) return;
    reply.text = text;
    reply.settlesAt = performance.now() + SETTLED_AFTER_EDIT_MS;
    this.#notify();
  }

  /** Takes a message back. */
  remove(id: string): void {
    const at = this.#unread.findIndex((each) => each.id === id);
    if (at >= 0) this.#unread.splice(at, 1);
  }

  /**
   * The text of the next message the bot has finished: sent, and not edited for some seconds, since
   * bots send a first piece and then go on writing in it.
   *
   * @throws DemoError `no-reply` after `timeoutMs`
   */
  async next(timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const first = this.#unread[0];
      const now = performance.now();
      if (first !== undefined && now >= first.settlesAt) {
        this.#unread.shift();
        return first.text;
      }
      if (now >= deadline) {
        throw new DemoError("no-reply", `the bot did not reply within ${timeoutMs / 1000} s`);
      }
      const settles = first === undefined ? deadline : first.settlesAt;
      await this.#change(Math.min(settles, deadline) - now);
    }
  }

  /** Ends all waiting. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  #change(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this.#notify(), withinMs);
    this.#timers.add(timer);
    return this.#changed.promise.finally(() => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    });
  }
}
