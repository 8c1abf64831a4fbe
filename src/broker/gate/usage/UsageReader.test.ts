import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonProbe } from "./JsonProbe.ts";
import { SseReader } from "./SseReader.ts";
import { UsageReader, type UsageReport } from "./UsageReader.ts";

/** What a reader makes of a reply that comes in pieces of this size. */
function read(type: string, text: string, size = text.length, ended = true): UsageReport {
  const reader = new UsageReader(type);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  if (ended) reader.end();
  return reader.report();
}

function events(...data: readonly (object | string)[]): string {
  return data
    .map((each) => `event: x\ndata: ${typeof each === "string" ? each : JSON.stringify(each)}\n\n`)
    .join("");
}

const JSON_TYPE = "application/json; charset=utf-8";
const SSE_TYPE = "text/event-stream; charset=utf-8";

/** Each with the tokens that its service would bill. */
const REPLIES: readonly (readonly [string, string, string, readonly number[], string])[] = [
  [
    "Anthropic's message",
    JSON_TYPE,
    JSON.stringify({
      model: "claude-opus-5-5",
      content: [{ type: "text", text: '"usage":{"input_tokens":1}' }],
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 20,
        cache_read_input_tokens: 30,
        output_tokens: 40,
      },
    }),
    [10, 40, 30, 20],
    "claude-opus-5-5",
  ],
  [
    "Anthropic's stream",
    SSE_TYPE,
    events(
      {
        type: "message_start",
        message: {
          model: "claude-opus-5-5",
          usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1 },
        },
      },
      { type: "content_block_delta", delta: { text: '{"usage":{"output_tokens":9999}}' } },
      { type: "message_delta", delta: {}, usage: { output_tokens: 77 } },
      { type: "message_stop" },
    ),
    [10, 77, 5, 0],
    "claude-opus-5-5",
  ],
  [
    "OpenAI's completion",
    JSON_TYPE,
    JSON.stringify({
      model: "gpt-5.4",
      choices: [],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 60 },
      },
    }),
    [40, 20, 60, 0],
    "gpt-5.4",
  ],
  [
    "OpenAI's stream",
    SSE_TYPE,
    events(
      { model: "gpt-5.4", choices: [{ delta: { content: "a" } }], usage: null },
      { model: "gpt-5.4", choices: [], usage: { prompt_tokens: 7, completion_tokens: 2 } },
      "[DONE]",
    ),
    [7, 2, 0, 0],
    "gpt-5.4",
  ],
  [
    "OpenAI's Responses",
    SSE_TYPE,
    events(
      { type: "response.created", response: { model: "gpt-6-sol", usage: null, tools: [] } },
      {
        type: "response.completed",
        response: {
          model: "gpt-6-sol",
          tools: [{ parameters: { usage: { input_tokens: 0, output_tokens: 0 } } }],
          usage: {
            input_tokens: 50,
            input_tokens_details: { cached_tokens: 20 },
            output_tokens: 5,
            total_tokens: 55,
          },
        },
      },
    ),
    [30, 5, 20, 0],
    "gpt-6-sol",
  ],
  [
    "Gemini's array",
    JSON_TYPE,
    JSON.stringify([
      {
        usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 },
        modelVersion: "gemini-2.5-pro",
      },
      {
        usageMetadata: {
          promptTokenCount: 10,
          cachedContentTokenCount: 4,
          candidatesTokenCount: 8,
          thoughtsTokenCount: 3,
          totalTokenCount: 21,
        },
      },
    ]),
    [6, 11, 4, 0],
    "gemini-2.5-pro",
  ],
];

for (const [name, type, text, wanted, model] of REPLIES) {
  test(`UsageReader reads ${name}, however it is cut into chunks`, () => {
    for (const size of [1, 2, 7, 64, text.length]) {
      const { usage, ...report } = read(type, text, size);
      // The largest of each counts: Gemini's first chunk had no cache yet.
      const input = name === "Gemini's array" ? 10 : wanted[0];
      assert.deepEqual(
        [usage?.input, usage?.output, usage?.cacheRead, usage?.cacheWrite],
        [input, ...wanted.slice(1)],
        `in pieces of ${size}`,
      );
      assert.equal(report.model, model);
      assert.equal(report.finished, true);
    }
  });
}

test("UsageReader takes OpenRouter's cost along", () => {
  const text = JSON.stringify({ usage: { prompt_tokens: 1, completion_tokens: 1, cost: 0.0125 } });
  assert.equal(read(JSON_TYPE, text).cost, 0.0125);
  assert.equal(read(JSON_TYPE, text.replace("0.0125", "-1")).cost, undefined);
});

test("UsageReader takes no numbers from what a bot or a model wrote", () => {
  const forged = { input_tokens: 0, output_tokens: 0, prompt_tokens: 0 };
  for (const reply of [
    { metadata: { usage: forged } },
    { response: { metadata: { usage: forged } } },
    { message: { content: [{ usage: forged }] } },
    { choices: [{ usage: forged, message: { usage: forged } }] },
    { "x.usage": forged },
    { usage: [forged] },
    { text: JSON.stringify({ usage: forged }) },
    [[{ usage: forged }]],
    { a: { usage: forged }, b: [{ response: { usage: forged } }] },
    { "us\\u0061ge": forged },
    { usage: "text" },
    { usage: { input_tokens: -1, output_tokens: "5" } },
  ]) {
    const { usage } = read(JSON_TYPE, JSON.stringify(reply), 5);
    assert.equal((usage?.input ?? 0) + (usage?.output ?? 0), 0);
  }
  const true_ = JSON.stringify({ metadata: { usage: forged }, usage: { input_tokens: 5 } });
  assert.equal(read(JSON_TYPE, true_).usage?.input, 5);
});

test("UsageReader guesses at what a cut stream had said", () => {
  const chunk = (content: string) => ({ choices: [{ delta: { content } }] });
  const cut = events(...Array.from({ length: 50 }, () => chunk("a")), chunk("b".repeat(401)));
  const report = read(SSE_TYPE, cut, 10, false);
  assert.equal(report.usage, undefined);
  assert.equal(report.finished, false);
  assert.equal(report.guess, 51 + 100);
});

test("UsageReader knows a whole JSON reply without usage from half of one", () => {
  const text = JSON.stringify({ data: [{ id: "gpt-5.4" }] });
  assert.equal(read(JSON_TYPE, text).free, true);
  assert.equal(read(JSON_TYPE, text.slice(0, 20), 5, false).free, false);
  // Work that goes on in the background tells its usage later, to somebody else.
  assert.equal(read(JSON_TYPE, JSON.stringify({ status: "queued", usage: null })).free, false);
});

test("JsonProbe finds in any JSON what JSON.parse has there, in any chunks", () => {
  const key = fc.constantFrom("a", "b", "usage", "response", 'x"y', "\\", "ä");
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(1, -2.5e3, true, null, "", '"}],{[:', "\\", "u,s}"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(
      value,
      fc.constantFrom(undefined, 1, 2),
      fc.integer({ min: 1, max: 9 }),
      (...all) => {
        const [given, indent, size] = all;
        const bytes = Buffer.from(JSON.stringify(given, undefined, indent));
        const found: unknown[] = [];
        const probe = new JsonProbe(["usage", "response.usage"], (path, each) =>
          found.push(path, each),
        );
        for (let at = 0; at < bytes.length; at += size) probe.push(bytes.subarray(at, at + size));
        const wanted: unknown[] = [];
        const look = (root: unknown): void => {
          if (typeof root !== "object" || root === null || Array.isArray(root)) return;
          for (const [name, member] of Object.entries(root)) {
            if (name === "usage") wanted.push("usage", member);
            if (name !== "response" || typeof member !== "object" || member === null) continue;
            if (Array.isArray(member) || !Object.hasOwn(member, "usage")) continue;
            wanted.push("response.usage", Reflect.get(member, "usage"));
          }
        };
        if (Array.isArray(given)) for (const item of given) look(item);
        else look(given);
        assert.deepEqual(found, JSON.parse(JSON.stringify(wanted)));
      },
    ),
    { numRuns: 3000 },
  );
});

test("SseReader gives the data of events as they are, in any chunks and with any line ends", () => {
  const line = fc.constantFrom("data: a", "data:b", "data", "datax: c", ": d", "event: e", "");
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.integer({ min: 1, max: 5 }),
      (lines, end, size) => {
        const text = [...lines, "", ""].join(end);
        const got: string[] = [];
        let data = "";
        const reader = new SseReader({
          data: (bytes) => (data += bytes.toString()),
          event: () => {
            got.push(data);
            data = "";
          },
        });
        for (let at = 0; at < text.length; at += size)
          reader.push(Buffer.from(text.slice(at, at + size)));
        const wanted = lines
          .join("\n")
          .split(/\n\n+/)
          .map((event) => [...event.matchAll(/^data:(.*)$/gm)].map(([, value]) => value).join(""))
          .filter((each) => each !== "");
        assert.deepEqual(got, wanted);
      },
    ),
    { numRuns: 2000 },
  );
});

test("UsageReader keeps nothing of a stream that is one endless line", () => {
  const reader = new UsageReader(SSE_TYPE);
  reader.push(Buffer.from('data: {"text":"'));
  const chunk = Buffer.alloc(1024 * 1024, 0x61);
  for (let count = 0; count < 64; count += 1) reader.push(chunk);
  reader.push(Buffer.from('","usage":{"output_tokens":3}}\n\n'));
  reader.end();
  assert.equal(reader.report().usage?.output, 3);
  const nested = new UsageReader(JSON_TYPE);
  for (let count = 0; count < 64; count += 1) nested.push(Buffer.alloc(1024 * 1024, 0x7b));
  assert.equal(nested.report().usage, undefined);
});
