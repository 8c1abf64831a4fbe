import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { assignUsers } from "./botUsers.ts";
import { HostError } from "./HostError.ts";

test("assignUsers() keeps a bot's uid, and never gives one away again", (t) => {
  const file = join(temporaryFolder(t), "users.json");
  const first = assignUsers(file, ["a", "b"]);
  const later = assignUsers(file, ["c"]);
  const again = assignUsers(file, ["b", "a"]);
  assert.equal(again.get("a"), first.get("a"));
  assert.equal(again.get("b"), first.get("b"));
  assert.equal(new Set(later.values()).size, 3);
  for (const uid of later.values()) assert.ok(uid >= 1_879_048_192 && uid <= 2_147_483_646);
});

for (const [what, text] of Object.entries({
  "not JSON": "{",
  "a uid of the system": '{"a": 0}',
  "a uid that is no number": '{"a": "1879100000"}',
})) {
  test(`assignUsers() refuses a file with ${what}`, (t) => {
    const file = join(temporaryFolder(t), "users.json");
    writeFileSync(file, text);
    assert.throws(
      () => assignUsers(file, ["a"]),
      (error) => error instanceof HostError && error.code === "damaged-state",
    );
  });
}
