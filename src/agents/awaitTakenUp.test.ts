import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { awaitTakenUp, sinceNow, isListening } from "./awaitTakenUp.ts";

const call = (path: string, more: object = {}): string =>
  `${JSON.stringify({ bot: "a", kind: "call", path: `/api/v4/${path}`, status: 200, ...more })}\n`;
const ME = call("users/me");
const APPLIED = "[reload] config hot reload applied (agents.entries.ops, bindings)\n";

test("isListening() takes the second question since the connection before was given up", () => {
  assert.equal(isListening(ME + ME, "a"), true);
  assert.equal(isListening(ME, "a"), false);
  // One of the connection before, whose record comes with its end.
  const given = call("websocket", { status: 101 });
  assert.equal(isListening(ME + given + ME, "a"), false);
  assert.equal(isListening(ME + given + ME + ME, "a"), true);
});

test("isListening() counts neither another bot's questions, nor refused ones, nor half a line", () => {
  const others = [
    call("users/me", { bot: "b" }),
    call("users/me", { status: 401 }),
    ME.slice(0, -9),
  ];
  for (const other of others) assert.equal(isListening(ME + other, "a"), false);
  assert.equal(isListening(`${ME}not JSON /api/v4/\n${ME}`, "a"), true);
});

test("awaitTakenUp() returns when the log and the record have it, and only by what came since", async (t) => {
  const folder = temporaryFolder(t);
  const [log, record] = [join(folder, "log"), join(folder, "audit.jsonl")];
  writeFileSync(log, "config reload skipped (invalid config): an earlier one\n");
  const at = { log: sinceNow(log), record: sinceNow(record) };
  const done = awaitTakenUp(at, "a", { agent: "ops", channel: "mattermost" });
  appendFileSync(log, `${APPLIED}[mattermost] connected as @bot\n`);
  appendFileSync(record, ME + ME);
  await done;
  await awaitTakenUp(at, "a", { agent: "ops" });
});

test("awaitTakenUp() says why OpenClaw refuses, with a log that began anew meanwhile", async (t) => {
  const folder = temporaryFolder(t);
  const log = join(folder, "log");
  writeFileSync(log, "x".repeat(1_000));
  const at = { log: sinceNow(log), record: sinceNow(join(folder, "none")) };
  writeFileSync(log, "[reload] config reload skipped (invalid config): agents.entries.ops.model\n");
  await assert.rejects(awaitTakenUp(at, "a", { agent: "ops" }), {
    code: "not-taken-up",
    message: /agents\.entries\.ops\.model/,
  });
});
