import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { LogFile } from "./LogFile.ts";

test("LogFile keeps at most two files of ten megabytes, and the newest lines", (t) => {
  const path = join(temporaryFolder(t), "bot.log");
  const log = new LogFile(path);
  const chunk = Buffer.alloc(1024 * 1024, "x");
  for (let i = 0; i < 35; i++) log.write(chunk);
  log.write("the end\n");
  log.close();
  const limit = 10 * 1024 * 1024;
  assert.ok(statSync(path).size <= limit);
  assert.ok(statSync(`${path}.1`).size <= limit);
  assert.ok(readFileSync(path, "utf8").endsWith("the end\n"));
});

test("LogFile is readable by its owner only, and goes on where it was", (t) => {
  const path = join(temporaryFolder(t), "bot.log");
  for (const word of ["one", "two"]) {
    const log = new LogFile(path);
    log.note(word);
    log.close();
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, "utf8"), /seawall: one\n.*seawall: two\n$/);
});
