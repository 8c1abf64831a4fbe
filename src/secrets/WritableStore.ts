import type { SecretValue } from "./SecretValue.ts";

/** Stores that Seawall can put values into. The others are written by their own programs. */
export const WRITABLE_STORES = ["vault", "keyring", "age"] as const;

export type WritableStoreName = (typeof WRITABLE_STORES)[number];

/** A secret as `list` shows it: never the value, nor its length. */
export interface StoredSecret {
  readonly name: string;
  /** When it was last set, ISO 8601 in UTC; absent where the store doesn't tell. */
  readonly updated?: string;
}

/**
 * What a store that can be written to is for the commands that do: one interface, whether it is the
 * vault, the desktop's keyring or a folder of age files.
 *
 * Every change is whole: after a crash at any moment the store holds the old or the new.
 */
export interface WritableStore {
  readonly store: WritableStoreName;
  /** @throws SecretError `invalid-name`, `empty-value` and the like, `busy`, `disk`, … */
  set(name: string, value: SecretValue): Promise<void>;
  /**
   * Sets several. For the vault that is one write, so all of them or none; elsewhere one after the
   * other, in the order given. Names and values are all checked before the first is written.
   */
  setAll(entries: ReadonlyMap<string, SecretValue>): Promise<void>;
  /** @throws SecretError `missing` */
  rm(name: string): Promise<void>;
  /** Sorted by name. */
  list(): Promise<StoredSecret[]>;
  /** @throws SecretError `missing` */
  read(name: string): Promise<SecretValue>;
  /** What stands for the secret under `secrets` in a declaration, as `{ vault: "anthropic" }`. */
  declare(name: string): Readonly<Record<string, string>>;
}
