import assert from "node:assert/strict";
import { readFileSync, watch, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import type { Ask } from "../../broker/index.ts";
import { Notifier, type NotifierOptions } from "./Notifier.ts";

function ask(id: string, more: Partial<Ask> = {}): Ask {
  return {
    id,
    bot: "a",
    host: "api.test:443",
    method: "POST",
    path: "/x",
    rule: "POST /x",
    since: "2026-01-01T00:00:00.000Z",
    until: "2026-01-01T00:05:00.000Z",
    ...more,
  };
}

/** A notifier that runs a script; `told` resolves with what it was given once there are so many lines. */
function make(t: TestContext, over: Partial<NotifierOptions> = {}) {
  const folder = temporaryFolder(t);
  const out = join(folder, "out");
  writeFileSync(out, "");
  const notes: string[] = [];
  const notifier = new Notifier({
    ways: () => [{ by: "command", command: ["/bin/sh", "-c", 'cat >> "$0"', out] }],
    stillWaits: () => true,
    state: folder,
    note: (text) => notes.push(text),
    pauseMs: 20,
    ...over,
  });
  const told = async (lines: number): Promise<Ask[]> => {
    const read = (): string[] => readFileSync(out, "utf8").split("\n").slice(0, -1);
    const changes = watch(folder);
    while (read().length < lines) await new Promise((resolve) => changes.once("change", resolve));
    changes.close();
    return read().map((line) => JSON.parse(line) as Ask);
  };
  return { notifier, told, notes, folder };
}

test("Notifier tells a program of an ask as a line of JSON", async (t) => {
  const { notifier, told } = make(t);
  notifier.tell(ask("1", { detail: "$(touch /tmp/x) \"'; rm" }));
  assert.deepEqual(await told(1), [ask("1", { detail: "$(touch /tmp/x) \"'; rm" })]);
  assert.deepEqual(notifier.health(), []);
});

test("Notifier tells what comes within a pause together, and not what was answered meanwhile", async (t) => {
  const answered = new Set<string>();
  const { notifier, told } = make(t, { stillWaits: (id) => !answered.has(id) });
  notifier.tell(ask("1"));
  for (const id of ["2", "3", "4"]) notifier.tell(ask(id));
  answered.add("3");
  // Each is told by a program of its own, so in any order.
  assert.deepEqual((await told(3)).map(({ id }) => id).toSorted(), ["1", "2", "4"]);
});

test("Notifier shows in health that a way failed, notes it once, and forgets it when it works again", async (t) => {
  let program = "/nonexistent/program";
  const { notifier, told, notes, folder } = make(t, {
    ways: () => [
      program === ""
        ? { by: "command", command: ["/bin/sh", "-c", 'cat >> "$0"', join(folder, "out")] }
        : { by: "command", command: [program] },
    ],
    pauseMs: 1,
  });
  notifier.tell(ask("1"));
  while (notifier.health().length === 0) await new Promise(setImmediate);
  assert.match(notifier.health()[0]?.warning ?? "", /nonexistent\/program is not there/);
  assert.equal(notes.length, 1);
  program = "";
  notifier.tell(ask("2"));
  assert.equal((await told(1))[0]?.id, "2");
});

test("Notifier gives the program no environment but its own", async (t) => {
  process.env["SEAWALL_TEST_LEAK"] = "leak";
  t.after(() => delete process.env["SEAWALL_TEST_LEAK"]);
  const folder = temporaryFolder(t);
  const out = join(folder, "env");
  const { notifier } = make(t, {
    ways: () => [
      { by: "command", command: ["/bin/sh", "-c", 'env > "$0.new"; mv "$0.new" "$0"', out] },
    ],
  });
  const changes = watch(folder);
  notifier.tell(ask("1"));
  while (!existsSync(out)) await new Promise((resolve) => changes.once("change", resolve));
  changes.close();
  const names = readFileSync(out, "utf8").match(/^\w+(?==)/gm) ?? [];
  const known = [
    "PATH",
    "SEAWALL_STATE",
    "DBUS_SESSION_BUS_ADDRESS",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
  ];
  assert.deepEqual(
    names.filter((name) => !known.includes(name)),
    [],
  );
});

test("Notifier hands the desktop plain text, whatever the bot wrote", async (t) => {
  const folder = temporaryFolder(t);
  const out = join(folder, "arguments");
  const script = `#!/bin/sh\nprintf '%s\\0' "$@" > ${out}.new; mv ${out}.new ${out}\n`;
  writeFileSync(join(folder, "notify-send"), script, { mode: 0o755 });
  const before = { path: process.env["PATH"], bus: process.env["DBUS_SESSION_BUS_ADDRESS"] };
  process.env["PATH"] = `${folder}:${before.path ?? ""}`;
  process.env["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent";
  t.after(() => {
    process.env["PATH"] = before.path;
    if (before.bus === undefined) delete process.env["DBUS_SESSION_BUS_ADDRESS"];
    else process.env["DBUS_SESSION_BUS_ADDRESS"] = before.bus;
  });
  const { notifier } = make(t, { ways: () => [{ by: "desktop" }] });
  const changes = watch(folder);
  notifier.tell(
    ask("0123456789", {
      bot: "--urgency",
      detail: '<a href="http://x.test">y</a>\u001b]0;\u202e&',
    }),
  );
  while (!existsSync(out)) await new Promise((resolve) => changes.once("change", resolve));
  changes.close();
  const given = readFileSync(out, "utf8").split("\0").slice(0, -1);
  const [title = "", body = ""] = given.slice(given.indexOf("--") + 1);
  assert.equal(title, "Seawall: --urgency asks");
  assert.equal(given.length, given.indexOf("--") + 3);
  assert.doesNotMatch(body, /[<>]|\p{Cc}(?<!\n)|\p{Cf}|&(?!amp;|lt;|gt;)/u);
  assert.match(body, /&lt;a href/);
  assert.match(body, /seawall approve 01234567 --once/);
});
