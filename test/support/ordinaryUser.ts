import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const ROOT = process.getuid?.() === 0;
const MAIN = resolve(import.meta.dirname, "../../src/cli/start.cjs");

/** Who isn't root: whoever runs the tests, or where that is root, somebody whom nobody else here is. */
export const USER = ROOT ? 70_001 : (process.getuid?.() ?? 0);

/** The command as that user starts it. */
export function asUser(command: readonly string[]): readonly string[] {
  if (!ROOT) return command;
  const who = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--inh-caps=-all"];
  return ["setpriv", ...who, ...command];
}

/** Why that user can't start this Node and read this clone, if so. */
export function lacksUser(): string | false {
  const [program = "", ...args] = asUser([process.execPath, MAIN, "--help"]);
  if (spawnSync(program, args, { cwd: "/" }).status === 0) return false;
  return "needs setpriv(1) of util-linux, and a clone that other users can read";
}

/** Why there is nobody else than that user whose files could be in the way, if so. */
export const lacksOther: string | false = ROOT ? false : "needs root, to be another user";
