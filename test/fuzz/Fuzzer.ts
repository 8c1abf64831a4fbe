import type { Random } from "./Random.ts";

/** Throws bytes at one reader and compares what it says with what somebody else says. */
export interface Fuzzer {
  readonly name: string;
  /** What it promises, in one sentence. */
  readonly what: string;
  /** Where mutation begins: mostly right. */
  readonly seeds: readonly Buffer[];
  /** What mutation likes to put in. */
  readonly words: readonly string[];
  /**
   * Throws when the promise is broken. `random` depends on the bytes alone, so that a finding is these
   * bytes and nothing else.
   */
  check(bytes: Buffer, random: Random): void | Promise<void>;
}
