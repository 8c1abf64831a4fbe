import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import type { SavedMeter } from "./Meter.ts";

/** By the meter's name. */
export type SavedMeters = Readonly<Record<string, SavedMeter>>;

/** Not more often than this is it written, in milliseconds; a crash forgets no more than that. */
const EVERY_MS = 1000;

/**
 * Keeps what was used of limits in a file, so that it outlives the process. Written whole and put in
 * place by renaming. One that can't be read is put aside and told of: the bot has no way to it.
 */
export class LimitsFile {
  readonly #path: string;
  readonly #meters: () => SavedMeters;
  readonly #fault: (warning: string | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param meters what is to be kept, at this moment.
   * @param fault is told what is wrong, and `undefined` when it is right again.
   */
  constructor(
    path: string,
    meters: () => SavedMeters,
    fault: (warning: string | undefined) => void,
  ) {
    this.#path = path;
    this.#meters = meters;
    this.#fault = fault;
  }

  /** What the last process left. */
  read(): SavedMeters {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if (!isMissing(error)) this.#fault("what was used of limits before can't be read");
      return {};
    }
    const saved = parse(text);
    if (saved !== undefined) return saved;
    this.#fault(
      "the file with what was used of limits was damaged and is put aside; counting begins anew",
    );
    try {
      renameSync(this.#path, `${this.#path}.damaged`);
    } catch {
      // It will be written over.
    }
    return {};
  }

  /** Something changed: it is written within a second. */
  touch(): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      void this.#write();
    }, EVERY_MS).unref();
  }

  /** Writes now, and never again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer === undefined && this.#writing === undefined) return;
    clearTimeout(this.#timer);
    try {
      writeFileSync(`${this.#path}.tmp`, this.#text(), { mode: 0o600 });
      renameSync(`${this.#path}.tmp`, this.#path);
    } catch {
      // Nobody is left to be told.
    }
  }

  async #write(): Promise<void> {
    await this.#writing;
    this.#writing = this.#writeOnce();
    await this.#writing;
    this.#writing = undefined;
  }

  async #writeOnce(): Promise<void> {
    this.#timer = undefined;
    const text = this.#text();
    try {
      // A name of its own: `close` may write while this is under way.
      await writeFile(`${this.#path}.new`, text, { mode: 0o600 });
      if (this.#closed) return;
      await rename(`${this.#path}.new`, this.#path);
      this.#fault(undefined);
    } catch {
      this.#fault("what is used of limits can't be written, so a restart would forget it");
      this.touch();
    }
  }

  #text(): string {
    return `${JSON.stringify({ version: 1, meters: this.#meters() })}\n`;
  }
}

function parse(text: string): SavedMeters | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isObject(value["meters"])) return undefined;
  const meters = Object.entries(value["meters"]);
  return meters.every(([, meter]) => isSavedMeter(meter))
    ? (Object.fromEntries(meters) as SavedMeters)
    : undefined;
}

function isSavedMeter(value: unknown): boolean {
  if (!isObject(value) || !isObject(value["days"])) return false;
  const numbers = [value["calls"] ?? 0, value["at"] ?? 0];
  for (const use of Object.values(value["days"])) {
    if (!isObject(use)) return false;
    for (const name of ["bytes", "tokens", "microdollars"]) numbers.push(use[name] ?? "missing");
  }
  return numbers.every((each) => typeof each === "number" && Number.isFinite(each));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isMissing(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";
}
