import type { Finding } from "./Attack.ts";
import type { Field } from "./Field.ts";

/** What the runner inside is given. */
export interface Job {
  readonly field: Field;
  /** Attacks to run, in order. */
  readonly names: readonly string[];
  /** By attack: what it puts into what it sends. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A line that the runner writes. */
export type Report =
  | { readonly attack: string; readonly began: true }
  | { readonly attack: string; readonly finding: Finding };
