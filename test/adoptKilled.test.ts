import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { makeInstallation } from "../src/migration/testing/makeInstallation.ts";
import { COMPILED } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

const MAIN = resolve(import.meta.dirname, "../src/cli/main.ts");
const HOOK = resolve(import.meta.dirname, "support/dieAtWrite.ts");
/** Spread over all its writes; each one costs several walls. */
const POINTS = 4;

test("seawall secret adopt, killed on the way, is undone or finished by the next command", (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711);
  const [openclaw, state, count] = ["openclaw", "state", "count"].map((name) => join(folder, name));
  assert.ok(openclaw !== undefined && state !== undefined && count !== undefined);
  const made = join(folder, "made");
  mkdirSync(openclaw, { mode: 0o700 });
  const { canaries } = makeInstallation(openclaw);
  cpSync(openclaw, made, { recursive: true, preserveTimestamps: true });
  const moved = [canaries["anthropic"], canaries["telegram"], canaries["groq"], canaries["gemini"]];
  const run = (
    args: readonly string[],
    env: Record<string, string> = {},
  ): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, ["--import", HOOK, MAIN, "secret", "adopt", openclaw, ...args], {
      cwd: folder,
      env: {
        ...COMPILED,
        PATH: process.env["PATH"],
        HOME: folder,
        SEAWALL_STATE: state,
        SEAWALL_STORE: testStore(),
        ...env,
      },
      encoding: "utf8",
    });
  const fresh = (): void => {
    for (const path of [openclaw, state, join(folder, "seawall.json5")])
      rmSync(path, { recursive: true, force: true });
    cpSync(made, openclaw, { recursive: true, preserveTimestamps: true });
  };
  const before = contents(openclaw);

  // The first one also brings programs into the store.
  const first = run(["--dry-run"]);
  assert.equal(first.status, 0, first.stderr);
  const whole = run(["--yes"], { SEAWALL_COUNT_WRITES: count });
  assert.equal(whole.status, 0, whole.stderr);
  const writes = Number(readFileSync(count, "utf8"));
  assert.ok(writes > POINTS);
  for (let point = 1; point <= POINTS; point++) {
    fresh();
    const at = Math.ceil((writes * point) / (POINTS + 1));
    const where = `killed at write ${at} of ${writes}`;
    const killed = run(["--yes"], { SEAWALL_DIE_AT: String(at) });
    assert.equal(killed.signal, "SIGKILL", `${where}: ${killed.stderr}`);
    if (point % 2 === 1) {
      const undone = run(["--undo"]);
      // Where nothing was begun there is nothing to take back.
      assert.ok(
        undone.status === 0 || /has not been adopted/.test(undone.stderr),
        `${where}: ${undone.stderr}`,
      );
      assert.deepEqual(contents(openclaw), before, where);
      assert.ok(!existsSync(join(folder, "seawall.json5")), where);
    } else {
      const again = run(["--yes"]);
      assert.equal(again.status, 0, `${where}: ${again.stderr}`);
      for (const [path, text] of Object.entries({ ...contents(openclaw), ...contents(state) }))
        for (const value of moved) assert.ok(!text.includes(value ?? ""), `${where}: ${path}`);
    }
  }
});

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    globSync("**/{*,.*}", { cwd: folder, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path, readFileSync(path, "latin1")]),
  );
}
