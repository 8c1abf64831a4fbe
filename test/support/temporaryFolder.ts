import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { removeFolder } from "../../src/files/index.ts";

/** A folder of its own for one test, removed when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
  t.after(() => removeFolder(folder));
  return folder;
}
