import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { commandStore } from "./commandStore.ts";
import { failsWith, MARK, StoreSetup } from "./testing/storeSetup.ts";

const HANG_MS = 1_500;

test("commandStore.read() gives what a program prints, less one line end, and drops its standard error", async (t) => {
  const setup = new StoreSetup(t);
  const script = setup.write(
    "show",
    `#!/bin/sh\necho "warning: ${MARK}-err" >&2\necho "${MARK}:$1"\n`,
    0o700,
  );
  assert.equal(
    await setup.read({ store: "exec", command: [script, "bots/key"] }),
    `${MARK}:bots/key`,
  );
});

test("commandStore.read() uses no shell: arguments arrive as they are", async (t) => {
  const setup = new StoreSetup(t);
  const words = ["%s|", "$(touch x)", "; touch x", "`id`", "a b", "*"];
  assert.equal(
    await setup.read({ store: "exec", command: ["printf", ...words] }),
    words
      .slice(1)
      .map((word) => `${word}|`)
      .join(""),
  );
  await setup.fails({ store: "exec", command: ["echo hello"] }, "command-missing");
  await setup.fails({ store: "exec", command: [setup.at("nothing")] }, "command-missing");
  await setup.fails({ store: "exec", command: [setup.write("data", "x")] }, "command-missing");
});

test("commandStore.read() says how a program failed, and nothing of what it said", async (t) => {
  const setup = new StoreSetup(t);
  const script = setup.write(
    "fail",
    `#!/bin/sh\necho "${MARK}"\necho "${MARK}" >&2\nexit 3\n`,
    0o700,
  );
  await setup.fails({ store: "exec", command: [script] }, "command-failed", /ended with status 3$/);
  const killed = setup.write("killed", `#!/bin/sh\necho "${MARK}"\nkill -9 $$\n`, 0o700);
  await setup.fails({ store: "exec", command: [killed] }, "command-failed", /SIGKILL$/);
});

test("commandStore.read() tells an empty value, a NUL and too much from a secret", async (t) => {
  const setup = new StoreSetup(t);
  await setup.fails({ store: "exec", command: ["true"] }, "empty-value");
  await setup.fails({ store: "exec", command: ["printf", `${MARK}\\0`] }, "invalid-value");
  const endless = ["sh", "-c", `while :; do echo ${MARK}; done`];
  await setup.fails({ store: "exec", command: endless }, "oversized-value");
});

test("commandStore.read() gives a program nothing to ask and no terminal", async (t) => {
  const setup = new StoreSetup(t);
  const ask =
    "if read -r word; then echo got; else echo end; fi; (: </dev/tty) 2>/dev/null && echo tty || echo none";
  assert.equal(await setup.read({ store: "exec", command: ["sh", "-c", ask] }), "end\nnone");
});

for (const how of ["hangs", "ignores signals", "has left a child behind"]) {
  test(`commandStore.read() kills a program that ${how}, and all its children`, async (t) => {
    const setup = new StoreSetup(t);
    const pids = setup.at("pids");
    const child = `sh -c 'echo $$ >> ${pids}; trap "" TERM INT HUP; sleep 600 & echo $! >> ${pids}; wait' &`;
    const end = how === "has left a child behind" ? "" : "wait";
    const trap = how === "ignores signals" ? 'trap "" TERM INT HUP;' : "";
    const script = `${trap} echo $$ >> ${pids}; ${child} while ! [ "$(wc -l < ${pids})" = 3 ]; do :; done; echo ${MARK}; ${end}`;
    const reading = commandStore(HANG_MS).read({ store: "exec", command: ["sh", "-c", script] });
    if (how === "has left a child behind") assert.equal((await reading).revealSecret(), MARK);
    else await assert.rejects(reading, failsWith("command-hung"));
    const started = readFileSync(pids, "utf8").trim().split("\n");
    assert.equal(started.length, 3);
    // Killed is killed, whenever whoever inherits them takes notice.
    for (const pid of started) assert.ok(isGone(pid), `${pid} still runs`);
  });
}

function isGone(pid: string): boolean {
  for (let tries = 0; tries < 10_000; tries++) {
    if (!existsSync(`/proc/${pid}`)) return true;
    try {
      if (/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return true;
    } catch {
      return true;
    }
  }
  return false;
}
