import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { makeAgentsOwn } from "./agentWorker.ts";

test("makeAgentsOwn() makes folders that the bot's user gets through, whatever the umask, and leaves others alone", (t) => {
  const folder = temporaryFolder(t);
  const there = join(folder, "there");
  mkdirSync(there);
  chmodSync(there, 0o750);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  makeAgentsOwn(join(there, "a/b/own.git"), undefined);
  const modes = ["", "a", "a/b", "a/b/own.git"].map(
    (path) => statSync(join(there, path)).mode & 0o777,
  );
  assert.deepEqual(modes, [0o750, 0o711, 0o711, 0o700]);
  chmodSync(join(there, "a/b"), 0o755);
  makeAgentsOwn(join(there, "a/b/own.git"), undefined);
  makeAgentsOwn(join(there, "a/b/other.git"), undefined);
  assert.equal(statSync(join(there, "a/b")).mode & 0o777, 0o755);
  assert.ok(existsSync(join(there, "a/b/other.git")));
});
