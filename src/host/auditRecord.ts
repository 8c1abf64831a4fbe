import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publicKeyOf } from "../record/index.ts";
import type { StatePaths } from "../paths/index.ts";

/** The record's current file; the others lie beside it. */
export function auditFile(paths: StatePaths): string {
  return join(paths.audit, "audit.jsonl");
}

/** The public key of this deployment's record, as it is shown; undefined before the first `up`. */
export function auditPublicKey(paths: StatePaths): string | undefined {
  if (!existsSync(paths.auditKey)) return undefined;
  return publicKeyOf(readFileSync(paths.auditKey, "utf8"));
}
