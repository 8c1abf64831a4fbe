import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../host/index.ts";
import { commands } from "./commands/index.ts";
import { macNote, requireHere } from "./requireHere.ts";

test("requireHere() refuses on macOS what needs Linux, by name, and nothing else", async () => {
  const refused: string[] = [];
  for (const verb of Object.keys(commands)) {
    await requireHere(verb, "linux");
    await requireHere(verb, "darwin").catch((error: unknown) => {
      assert.ok(error instanceof HostError);
      assert.deepEqual([error.code, error.exitCode], ["not-on-macos", 4]);
      refused.push(verb);
    });
  }
  const expected = "agent demo generations prove rollback run switch uninstall update why";
  assert.deepEqual(refused.toSorted(), expected.split(" "));
  assert.equal(macNote("linux"), undefined);
  assert.match(macNote("darwin") ?? "", /never run on a Mac/u);
});
