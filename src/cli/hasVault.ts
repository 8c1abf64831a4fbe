import { existsSync } from "node:fs";
import type { Call } from "./Command.ts";

/** Whether there is a vault, so that looking into it would make none. */
export function hasVault(call: Call): boolean {
  return existsSync(call.paths.vault.file);
}
