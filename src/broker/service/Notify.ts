import { writeSync } from "node:fs";

/**
 * Tells systemd how the service is (sd_notify(3)). The launcher has connected `descriptor` to
 * `$NOTIFY_SOCKET`, since the broker can make no such socket; writing to it is one datagram.
 */
export class Notify {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  ready(): void {
    this.#send("READY=1\nSTATUS=answering");
  }

  /** @param text one line for `systemctl status`; never a secret */
  status(text: string): void {
    this.#send(`STATUS=${text.replaceAll(/[^\u0020-\u007e]/g, "?")}`);
  }

  stopping(): void {
    this.#send("STOPPING=1");
  }

  /**
   * Tells the watchdog at half its time that the event loop still turns.
   *
   * @param microseconds WATCHDOG_USEC; nothing is told without it.
   */
  watchdog(microseconds: string | undefined): void {
    const limit = Number(microseconds ?? 0) / 1000;
    if (!(limit > 0)) return;
    setInterval(() => this.#send("WATCHDOG=1"), limit / 2).unref();
  }

  #send(message: string): void {
    try {
      writeSync(this.#descriptor, message);
    } catch {
      // A full queue or a restarting manager: the next message tells it.
    }
  }
}
