import { openSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { ReadStream } from "node:tty";
import type { Call } from "./Command.ts";
import { UsageError } from "./UsageError.ts";

/**
 * Asks on the terminal itself whether to go on; `--yes` answers for the person.
 *
 * @throws UsageError where there is no terminal and no `--yes`.
 */
export async function confirm(call: Call, question: string): Promise<boolean> {
  if (call.flag("yes")) return true;
  return ["y", "yes"].includes((await askLine(`${question} [y/N] `)).toLowerCase());
}

/** Asks for a line on the terminal. @throws UsageError where there is none. */
export async function askLine(question: string): Promise<string> {
  let input: ReadStream;
  try {
    input = new ReadStream(openSync("/dev/tty", "r"));
  } catch {
    throw new UsageError("there is no terminal to ask on", "say yes with --yes");
  }
  const lines = createInterface({ input, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
    input.destroy();
  }
}
