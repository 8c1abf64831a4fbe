import assert from "node:assert/strict";
import { test } from "node:test";
import { priceOf } from "./prices.ts";

const million = { input: 1e6, output: 1e6, cacheRead: 0, cacheWrite: 0 };

test("priceOf() knows a model by its beginning, whatever date or state follows", () => {
  for (const [service, model, dollars] of [
    ["anthropic", "claude-haiku-4-5-20251001", 6],
    ["anthropic", "claude-haiku-4-5", 6],
    ["openai", "gpt-5.4-mini-2026-03-17", 5.25],
    ["openai", "gpt-5-mini", 2.25],
    ["openrouter", "anthropic/claude-haiku-4.5", 6],
    ["openrouter", "openai/gpt-5-mini", 2.25],
    ["google-gemini", "gemini-2.5-flash", 2.8],
  ] as const)
    assert.deepEqual(
      priceOf(service, model, million),
      { microdollars: dollars * 1e6, known: true },
      model,
    );
});

test("priceOf() charges a model it doesn't know as much as the dearest", () => {
  for (const model of [undefined, "", "claude-haiku-9", "claude-opus-5-5-ultra", "gpt-5-mini"])
    assert.deepEqual(priceOf("anthropic", model, million), { microdollars: 90e6, known: false });
  assert.deepEqual(priceOf("my-own", "llama", million), { microdollars: 210e6, known: false });
});

test("priceOf() charges caches, long contexts, and rounds up", () => {
  const usage = { input: 1000, output: 10, cacheRead: 200_000, cacheWrite: 1000 };
  assert.deepEqual(priceOf("anthropic", "claude-sonnet-4-6", usage), {
    microdollars: 1000 * 6 + 10 * 22.5 + 200_000 * 0.6 + 1000 * 7.5,
    known: true,
  });
  const one = { input: 1, output: 0, cacheRead: 0, cacheWrite: 0 };
  assert.equal(priceOf("openai", "gpt-5-nano", one).microdollars, 1);
});
