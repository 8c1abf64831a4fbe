import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, globSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ran } from "./runSeawall.ts";

/**
 * That a command failed the way docs/commands.md says: this exit code, `error:` in lower case
 * without a full stop, perhaps a place, a hint, and nothing on standard output.
 */
export function assertFailed({ code, stdout, stderr }: Ran, exit: number, message: RegExp): void {
  assert.equal(code, exit, stdout + stderr);
  const block = /^error: [^\n]+(\n {2}at [^\n]+)?\n {2}hint: [^\n]+\n$/m.exec(stderr)?.[0];
  assert.ok(block !== undefined, `not in an error's form: ${stderr}`);
  assert.match(block, /^error: (OpenClaw |[^A-Z\n])[^\n]*[^.\n]\n/);
  assert.match(block, message);
  assert.ok(!stderr.includes("this is a bug"), stderr);
}

/**
 * That a failed start left nothing in force and nothing half done: no process, no generation, no
 * unfinished file.
 *
 * @param state folder as the commands know it.
 * @param seen the same folder as this process sees it; `holder` is a process of the test's own there.
 */
export async function assertNothingStarted(
  state: string,
  { seen = state, holder }: { readonly seen?: string; readonly holder?: number } = {},
): Promise<void> {
  await assertNothingRuns(state, holder);
  assert.ok(!existsSync(join(seen, "current")), "a generation is in force");
  assert.deepEqual(namesIn(join(seen, "generations")), []);
  assert.deepEqual(halfFiles(seen), []);
  assert.ok(!existsSync(join(seen, "run", "supervisor.json")), "the supervisor's address stayed");
}

/** That every process which has to do with `folder` ends, except `holder`. */
export async function assertNothingRuns(folder: string, holder?: number): Promise<void> {
  const running = (): number[] => processesOf(folder).filter((pid) => pid !== holder);
  // The supervisor ends just after it has answered.
  for (let tries = 0; tries < 500 && running().length > 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(running().map(commandOf), []);
}

/** Files under the temporary names that writers use. */
export function halfFiles(folder: string): string[] {
  return globSync(["**/*.tmp", "**/.*.new-*"], { cwd: folder });
}

/** Host pids of processes that have to do with `folder`: by environment, argument or mount. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      ["environ", "cmdline", "mountinfo"].some((file) => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, "utf8").includes(folder);
        } catch {
          return false;
        }
      }),
    )
    .map(Number);
}

/** What is in a folder, to be compared with later: by path, the mode and a hash of the bytes. */
export function snapshot(folder: string): Record<string, string> {
  const entries = globSync("**/*", { cwd: folder }).toSorted();
  return Object.fromEntries(
    entries.map((path) => {
      const stat = lstatSync(join(folder, path));
      const bytes = stat.isFile() ? readFileSync(join(folder, path)) : "";
      const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
      return [path, `${stat.mode.toString(8)} ${stat.uid} ${hash}`];
    }),
  );
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
