import assert from "node:assert/strict";
import { test } from "node:test";
import { checkShape } from "./checkShape.ts";
import { locateFaults } from "./DeclarationError.ts";
import { readDeclaration } from "./readDeclaration.ts";

const BOT = { openclaw: "2026.9.6", model: "anthropic/x", grants: {} };

function codes(value: unknown): string[] {
  return checkShape(value).faults.map(({ code, path }) => `${code} ${path.join(".")}`);
}

test("checkShape() fills in defaults", () => {
  const { declaration, faults } = checkShape({ seawall: 1, bots: { a: BOT } });
  assert.deepEqual(faults, []);
  assert.deepEqual(declaration?.secrets, {});
  assert.equal(declaration?.bots["a"]?.port, 18789);
});

test("checkShape() tells missing from invalid, and reports all faults at once", () => {
  const value = { seawall: 1, bots: { a: { openclaw: 7, grants: {} } }, extra: true };
  assert.deepEqual(codes(value).toSorted(), [
    "invalid bots.a.openclaw",
    "missing bots.a.model",
    "unknown-key extra",
  ]);
});

test("checkShape() refuses unknown keys at every depth but under settings", () => {
  const settings = { anything: { goes: [1, "x", null] } };
  const bot = { ...BOT, settings, grants: { x: { secret: "a", secert: "a" } } };
  assert.deepEqual(codes({ seawall: 1, bots: { a: bot } }), ["unknown-key bots.a.grants.x.secert"]);
});

for (const [what, value] of Object.entries({
  Anthropic: `sk-ant-api03-${"x".repeat(40)}`,
  Telegram: `123456789:AA${"b".repeat(33)}`,
  GitHub: `ghp_${"c".repeat(36)}`,
  Google: `AIza${"d".repeat(35)}`,
  age: `AGE-SECRET-KEY-1${"Q".repeat(58)}`,
  "long token": "f".repeat(48),
})) {
  test(`checkShape() finds a secret of ${what} in any place and doesn't echo it`, () => {
    const text = JSON.stringify({
      seawall: 1,
      secrets: { [value]: { vault: "x" }, a: { vault: value } },
      bots: { a: { ...BOT, settings: { deep: [{ [value]: value }] }, model: value } },
    });
    const { positions, value: read } = readDeclaration(text);
    const located = locateFaults(checkShape(read).faults, "f.json5", positions);
    assert.ok(located.filter(({ code }) => code === "looks-like-a-secret").length >= 4);
    assert.ok(!JSON.stringify(located).includes(value), JSON.stringify(located, null, 1));
  });
}

test("checkShape() takes ordinary names, paths and models for what they are", () => {
  const value = {
    seawall: 1,
    secrets: { "brave-search": { vault: "bots.brave_search" } },
    bots: {
      a: {
        ...BOT,
        model: "openrouter/meta-llama/llama-4-maverick-17b-128e-instruct:free",
        grants: { "a-rather-long-subdomain.of.some-company.example.com": { tunnel: 443 } },
        settings: {
          prompt: "Talk like a friend. Never mention sk-ant or tokens.",
          path: "/home/bot/workspace/notes",
        },
      },
    },
  };
  assert.deepEqual(codes(value), []);
});

test("checkShape() refuses what isn't an object at all", () => {
  for (const value of [null, [], "x", 7]) assert.deepEqual(codes(value), ["invalid "]);
});
