import assert from "node:assert/strict";
import { assertFailed, assertNothingStarted, snapshot } from "./failures.ts";
import { runSeawall, type RunOptions } from "./runSeawall.ts";

/** A host that lacks something, and the state folder of commands there. */
export interface Case {
  readonly options: RunOptions;
  readonly state: string;
}

/** Each command that needs a wall says so, with exit 4, and leaves everything as it was. */
export async function refusesEverywhere({ options, state }: Case, message: RegExp): Promise<void> {
  const before = snapshot(state);
  for (const verb of ["doctor", "check", "up"]) {
    assertFailed(await runSeawall([verb], options), 4, message);
    await assertNothingStarted(state);
    assert.deepEqual(snapshot(state), before, `${verb} changed the state folder`);
  }
  const { code, stdout } = await runSeawall(["doctor", "--json"], options);
  assert.equal(code, 4);
  assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, false);
}
