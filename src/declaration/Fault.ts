import type { Position } from "./readDeclaration.ts";

/** Keys and indices from the root of the declaration to a value in it. */
export type Path = readonly (string | number)[];

/** Stable: scripts match on these. */
export type FaultCode =
  | "syntax"
  | "duplicate-key"
  | "unknown-key"
  | "missing"
  | "invalid"
  | "looks-like-a-secret"
  | "unknown-secret"
  | "unknown-service"
  | "unknown-version"
  | "port-taken"
  | "host-clash"
  | "no-model-grant"
  | "no-effect"
  | "loosens-wall"
  | "refused-by-openclaw";

/** One thing wrong with a declaration. Never contains what was in a field that may hold a secret. */
export interface Fault {
  readonly code: FaultCode;
  readonly path: Path;
  /** Lower case, no final full stop. */
  readonly message: string;
  readonly hint?: string;
  /** Given when the place is not that of `path`, as for a key given twice. */
  readonly at?: Position;
  /** Point at the last key of `path` and not at its value. */
  readonly atKey?: boolean;
}
