import { stat } from "node:fs/promises";
import type { SecretSource } from "../plan/index.ts";
import { secretFromStore } from "./checkSecret.ts";
import { makeSealKeys, unseal } from "./seal.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { SecretValue } from "./SecretValue.ts";
import type { StoreHealth } from "./StoreHealth.ts";
import { toError, type StoreRequest, type StoreResult } from "./StoreRequest.ts";
import { vaultStamp } from "./vaultFile.ts";

/** A changed file is noticed by the first read after this time. */
const CHECK_EVERY_MS = 1000;

/** Has a store process started for one request. Rejects with SecretError `helper`. */
export type AskHelper = (request: StoreRequest) => Promise<readonly StoreResult[]>;

interface Held {
  readonly value: SecretValue;
  readonly stamp: string;
}

interface Waiting {
  readonly source: SecretSource;
  readonly done: PromiseWithResolvers<SecretValue>;
}

/**
 * Stores that the broker can't read from inside its wall (it can't execute, has no Unix sockets and
 * reads few files). A store process reads them and hands the values over, sealed; here they are kept,
 * hidden, in memory.
 *
 * The broker itself sees when a file changes, since Landlock lets it look at a file it can't read:
 *
 * - A new value is in use from the next read on.
 * - A file that is gone, or that no longer has the secret, is `missing` from then on.
 * - A file that can't be used leaves the old value in force and is reported through `onHealth`.
 */
export class HelperStore implements SecretStore {
  readonly #ask: AskHelper;
  readonly #watched: (source: SecretSource) => readonly string[];
  readonly #onHealth: (health: StoreHealth) => void;
  readonly #now: () => number;
  readonly #held = new Map<string, Held>();
  readonly #checkedAt = new Map<string, number>();
  readonly #checking = new Map<string, Promise<void>>();
  /** A source's key; making it for every call would be dear. */
  readonly #keys = new WeakMap<SecretSource, string>();
  /** What is wrong with the newest one, as it was reported. */
  readonly #warned = new Map<string, string>();
  #batch: Waiting[] = [];

  /** @param now milliseconds that never go back; for tests */
  constructor(
    ask: AskHelper,
    watched: (source: SecretSource) => readonly string[],
    onHealth: (health: StoreHealth) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#ask = ask;
    this.#watched = watched;
    this.#onHealth = onHealth;
    this.#now = now;
  }

  /** @throws SecretError of the store itself, or `helper` */
  async read(source: SecretSource): Promise<SecretValue> {
    const key = this.#keyOf(source);
    const at = this.#checkedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - at >= CHECK_EVERY_MS) await this.#checkOnce(key, source, false);
    const held = this.#held.get(key);
    if (held !== undefined) return held.value;
    throw new SecretError("missing", "the secret is gone from its store");
  }

  peek(source: SecretSource): SecretValue | undefined {
    const key = this.#keyOf(source);
    const at = this.#checkedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    if (this.#checking.has(key) || this.#now() - at >= CHECK_EVERY_MS) return undefined;
    return this.#held.get(key)?.value;
  }

  /** Reads every value that was ever asked for anew, or only looks whether its file has changed. */
  async refresh(how: "all" | "changed"): Promise<void> {
    const keys = [...this.#checkedAt.keys()];
    await Promise.all(
      keys.map((key) =>
        this.#checkOnce(key, JSON.parse(key) as SecretSource, how === "all").catch(() => undefined),
      ),
    );
  }

  /** Takes back what was reported. */
  close(): void {
    for (const key of this.#warned.keys()) this.#onHealth({ type: "health-clear", key });
    this.#warned.clear();
    this.#held.clear();
  }

  #keyOf(source: SecretSource): string {
    let key = this.#keys.get(source);
    if (key === undefined) {
      key = JSON.stringify(source);
      this.#keys.set(source, key);
    }
    return key;
  }

  async #checkOnce(key: string, source: SecretSource, anyway: boolean): Promise<void> {
    const running = this.#checking.get(key);
    if (running !== undefined) {
      await running;
      // What ran may have begun before the change that this is about.
      if (!anyway) return;
    }
    const check = this.#check(key, source, anyway).finally(() => this.#checking.delete(key));
    this.#checking.set(key, check);
    await check;
  }

  async #check(key: string, source: SecretSource, anyway: boolean): Promise<void> {
    const stamp = await stampOf(this.#watched(source));
    const held = this.#held.get(key);
    // One that was refused is tried at every check: what was wrong may have been its identity.
    if (!anyway && held?.stamp === stamp && !this.#warned.has(warningKey(source))) {
      this.#checkedAt.set(key, this.#now());
      return;
    }
    try {
      const value = await this.#fetch(source);
      this.#held.set(key, { value, stamp });
      this.#clear(source);
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      if (error.code === "missing" || held === undefined) {
        this.#held.delete(key);
        if (held !== undefined) this.#warn(source, error, "calls that need it are refused");
        throw error;
      }
      this.#warn(source, error, "the value read before stays in use");
    } finally {
      this.#checkedAt.set(key, this.#now());
    }
  }

  /** Requests of the same turn go to one store process. */
  #fetch(source: SecretSource): Promise<SecretValue> {
    const done = Promise.withResolvers<SecretValue>();
    this.#batch.push({ source, done });
    if (this.#batch.length === 1) setImmediate(() => void this.#send());
    return done.promise;
  }

  async #send(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    const keys = makeSealKeys();
    try {
      const sources = batch.map(({ source }) => source);
      const results = await this.#ask({ sources, key: keys.publicKey });
      for (const [index, { done }] of batch.entries()) {
        const result = results[index];
        if (result === undefined) done.reject(noAnswer());
        else if (!("sealed" in result)) done.reject(toError(result));
        else {
          const bytes = unseal(result.sealed, keys);
          if (bytes === undefined) done.reject(noAnswer());
          else done.resolve(secretFromStore(bytes, "what the store gave"));
        }
      }
    } catch (error) {
      for (const { done } of batch) done.reject(error instanceof SecretError ? error : noAnswer());
    }
  }

  #warn(source: SecretSource, error: SecretError, consequence: string): void {
    const key = warningKey(source);
    if (this.#warned.get(key) === error.message) return;
    this.#warned.set(key, error.message);
    this.#onHealth({
      type: "health",
      key,
      warning: `${error.message}; ${consequence}`,
      ...(error.hint === undefined ? {} : { remedy: error.hint }),
    });
  }

  #clear(source: SecretSource): void {
    const key = warningKey(source);
    if (this.#warned.delete(key)) this.#onHealth({ type: "health-clear", key });
  }
}

function warningKey(source: SecretSource): string {
  return `secret:${JSON.stringify(source)}`;
}

function noAnswer(): SecretError {
  return new SecretError("helper", "the process that reads secrets from their stores gave none");
}

/** Changes whenever one of the files does; links are followed, so also when one is turned round. */
async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map((path) =>
    stat(path).then(vaultStamp, (cause: unknown) => String((cause as NodeJS.ErrnoException).code)),
  );
  return (await Promise.all(stamps)).join(" ");
}
