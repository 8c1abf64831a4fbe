import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { run } from "./run.ts";

test("run() says what a program wrote and how it ended, and ends one that takes too long", async () => {
  const said = await run("sh", ["-c", "cat; echo no >&2; exit 3"], { input: "yes" });
  assert.deepEqual(said, { code: 3, stdout: "yes", stderr: "no\n" });
  assert.equal((await run("sleep", ["60"], { timeoutMs: 50 })).code, 255);
});

test("run() of a program that isn't there is an error, and keeps nobody from ending", () => {
  const script = `
    import { run } from ${JSON.stringify(new URL("run.ts", import.meta.url).href)};
    await run("no-such-program", []).catch(({ code }) => console.log(code));`;
  const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.deepEqual([stdout, signal], ["no-systemd\n", null]);
});
