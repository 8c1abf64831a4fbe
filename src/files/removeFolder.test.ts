import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { removeFolder } from "./removeFolder.ts";

test("a folder is gone although somebody else removes files of it meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-test-"));
  for (let inner = 0; inner < 60; inner++) {
    mkdirSync(join(folder, `${inner}`, "a", "b"), { recursive: true });
    for (let file = 0; file < 20; file++)
      writeFileSync(join(folder, `${inner}`, "a", `${file}`), "");
  }
  const other = spawn("rm", ["-rf", folder]);
  const ended = once(other, "close");
  await once(other, "spawn");
  removeFolder(folder);
  assert.ok(!existsSync(folder));
  await ended;
});

test("what isn't there is no error", () => {
  removeFolder(join(tmpdir(), "seawall-test-nothing"));
});
