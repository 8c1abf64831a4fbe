import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadedCode } from "./loadedCode.ts";
import { PolicyStore } from "./policyStore.ts";

test("loadedCode() asks once for each content of the programs, and keeps the answer", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const kept = join(folder, "policies");
  const store = new PolicyStore(kept);
  const real = join(folder, "program");
  copyFileSync("/usr/bin/env", real);
  const layout = {
    programs: [{ path: real, real, origin: { kind: "always", what: "test" } }],
  } as const;
  const code = await loadedCode(layout, store);
  assert.ok(
    code.some((path) => /\/libc[.-][^/]*so/.test(path)),
    code.join(" "),
  );
  assert.ok(!code.includes(real));
  assert.equal(readdirSync(kept).length, 1);
  assert.deepEqual(await loadedCode(layout, store), code);
  assert.equal(readdirSync(kept).length, 1);
  utimesSync(real, 1, 1);
  assert.deepEqual(await loadedCode(layout, store), code);
  assert.equal(readdirSync(kept).length, 2);
});
