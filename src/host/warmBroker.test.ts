import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { brokerCache, warmBroker } from "./warmBroker.ts";

/** When each file of the cache was written. */
function written(cache: string): Map<string, number> {
  const files = readdirSync(cache, { recursive: true, encoding: "utf8" });
  return new Map(files.map((name) => [name, statSync(join(cache, name)).ctimeMs]));
}

test("warmBroker() fills the cache once for the code as it is", async (t) => {
  const store = temporaryFolder(t);
  const cache = brokerCache(store);
  await warmBroker(process.execPath, store);
  const filled = written(cache);
  assert.ok(filled.size > 50);
  await warmBroker(process.execPath, store);
  assert.deepEqual(written(cache), filled);

  // Filled by other code.
  writeFileSync(join(cache, "filled-by"), "0".repeat(64));
  await warmBroker(process.execPath, store);
  const again = written(cache);
  assert.notEqual(again.get("filled-by"), filled.get("filled-by"));
  assert.deepEqual([...again.keys()].toSorted(), [...filled.keys()].toSorted());
});
