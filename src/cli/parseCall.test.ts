import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command } from "./Command.ts";
import { parseCall } from "./parseCall.ts";
import { UsageError } from "./UsageError.ts";

const COMMAND = {
  name: "try",
  usage: "[WORD]",
  words: { least: 0, most: 2 },
  options: { chat: { type: "string" }, quiet: { type: "boolean" } },
} as unknown as Command;

test("parseCall() takes a negative number for what an option is given, as Telegram's groups have", () => {
  const { values, words } = parseCall(COMMAND, ["--chat", "-1001234567890", "one"]);
  assert.deepEqual([{ ...values }, words], [{ chat: "-1001234567890" }, ["one"]]);
  assert.equal(parseCall(COMMAND, ["--chat=-5"]).values["chat"], "-5");
  assert.deepEqual(parseCall(COMMAND, ["--", "--chat", "-5"]).words, ["--chat", "-5"]);
});

test("parseCall() takes nothing else with a dash so", () => {
  for (const args of [
    ["--chat", "-x"],
    ["--chat", "--quiet"],
    ["--chat", "-1x"],
    ["--quiet", "-5"],
    ["-5"],
    ["--chat"],
  ])
    assert.throws(() => parseCall(COMMAND, args), UsageError, args.join(" "));
});
