import {
  closeSync,
  constants,
  fdatasync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { write } from "node:fs";
import { promisify } from "node:util";

const writeFd = promisify(write);
const syncFd = promisify(fdatasync);

/** A message that a bot has for another. */
export interface BridgeMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
  /** ISO 8601 in UTC, when it was taken in. */
  readonly at: string;
  /** How many messages led to it, one answering the other; see `Bridge`. */
  readonly hops: number;
  /** The sender's own name for it, by which the same message sent twice is one. */
  readonly key?: string;
}

/** One line of the file. */
export type BridgeEvent =
  | ({ readonly event: "sent" } & BridgeMessage)
  | { readonly event: "acknowledged"; readonly id: string }
  /** A bot has read something; what it writes in the next minutes may be an answer. */
  | { readonly event: "read"; readonly bot: string; readonly hops: number; readonly at: string };

/**
 * What the bridge must not forget, one JSON object a line, each on the disk before anybody is told so.
 * A last line that a crash cut short was told to nobody.
 */
export class BridgeLog {
  readonly path: string;
  #fd: number | undefined;
  #queue: Promise<void> = Promise.resolve();
  #pending: { text: string; settle: (error?: unknown) => void }[] = [];

  constructor(path: string) {
    this.path = path;
  }

  /** All events that are there; what isn't an event is left out and counted. */
  read(): { readonly events: readonly BridgeEvent[]; readonly damaged: number } {
    let text: string;
    try {
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      if (isMissing(error)) return { events: [], damaged: 0 };
      throw error;
    }
    const lines = text.split("\n").slice(0, -1);
    const events = lines.flatMap((line) => readEvent(line) ?? []);
    return { events, damaged: lines.length - events.length };
  }

  /** Begins the file anew with these events and opens it. */
  begin(events: readonly BridgeEvent[]): void {
    this.close();
    const text = events.map((each) => `${JSON.stringify(each)}\n`).join("");
    writeFileSync(`${this.path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${this.path}.new`, this.path);
    this.#fd = openSync(this.path, constants.O_WRONLY | constants.O_APPEND);
  }

  /** Resolves once the event is on the disk; what comes together is written together. */
  append(event: BridgeEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({
        text: `${JSON.stringify(event)}\n`,
        settle: (error) => {
          if (error === undefined) resolve();
          else reject(error instanceof Error ? error : new Error("the bridge can't write"));
        },
      });
      this.#queue = this.#queue.then(() => this.#flush());
    });
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #flush(): Promise<void> {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    const fd = this.#fd;
    try {
      if (fd === undefined) throw new Error("the bridge is closed");
      const bytes = Buffer.from(batch.map(({ text }) => text).join(""));
      for (let at = 0; at < bytes.length;)
        at += (await writeFd(fd, bytes, at, bytes.length - at)).bytesWritten;
      await syncFd(fd);
      for (const { settle } of batch) settle();
    } catch (error) {
      for (const { settle } of batch) settle(error);
    }
  }
}

function readEvent(line: string): BridgeEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const event = value as Record<string, unknown>;
  const texts = (names: readonly string[]): boolean =>
    names.every((name) => typeof event[name] === "string");
  const fits =
    event["event"] === "sent"
      ? texts(["id", "from", "to", "text", "at"]) && typeof event["hops"] === "number"
      : event["event"] === "acknowledged"
        ? texts(["id"])
        : event["event"] === "read" && texts(["bot", "at"]) && typeof event["hops"] === "number";
  return fits ? (value as BridgeEvent) : undefined;
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}
