import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../../files/index.ts";

/** The pin's integrity by package. */
const Marks = z.record(z.string(), z.string());

/**
 * What was seen to be installed into a bot, in a file of root's: what lies in the bot's own folder, the bot
 * may have written.
 */
export function readMarks(state: string, bot: string): Readonly<Record<string, string>> {
  try {
    return Marks.parse(JSON.parse(readFileSync(fileOf(state, bot), "utf8")));
  } catch {
    return {};
  }
}

export function writeMark(state: string, bot: string, plugin: string, integrity: string): void {
  mkdirSync(join(state, "plugins"), { recursive: true, mode: 0o700 });
  const marks = { ...readMarks(state, bot), [plugin]: integrity };
  writeFileAtomic(fileOf(state, bot), `${JSON.stringify(marks)}\n`, 0o600);
}

function fileOf(state: string, bot: string): string {
  return join(state, "plugins", `${bot}.json`);
}
