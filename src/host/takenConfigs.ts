import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BotGeneration } from "./Generation.ts";

/** So many verdicts are kept; each is an empty file. */
const KEPT = 200;

/**
 * Whether this very OpenClaw took this very configuration before. Its verdict depends on nothing else: it is given
 * files and the names of variables, and reaches nobody. The store is in no wall to be written.
 *
 * @param store the store's folder
 */
export function wasTaken(store: string, bot: BotGeneration): boolean {
  return existsSync(verdict(store, bot));
}

/** Writes down that it took it; refusals aren't kept, as they are to be explained. */
export function noteTaken(store: string, bot: BotGeneration): void {
  const file = verdict(store, bot);
  const folder = join(file, "..");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, "w", 0o600));
    dropOldest(folder);
  } catch {
    // Then it is asked again the next time.
  }
}

function verdict(store: string, { openclaw, rendered, shared }: BotGeneration): string {
  const what = JSON.stringify([1, openclaw, rendered, shared === true]);
  return join(store, "taken-configs", createHash("sha256").update(what).digest("hex"));
}

function dropOldest(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= KEPT) return;
  const byAge = names
    .map((name) => ({ name, at: statSync(join(folder, name)).mtimeMs }))
    .toSorted((a, b) => a.at - b.at);
  for (const { name } of byAge.slice(0, names.length - KEPT)) rmSync(join(folder, name));
}
