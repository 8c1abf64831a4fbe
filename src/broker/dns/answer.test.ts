import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { answer, type Names } from "./answer.ts";

const NAMES: Names = new Map([["api.example.test", { v4: "198.18.0.7", v6: "2001:db8::7" }]]);

function query(
  name: string,
  type: number,
  change: {
    readonly flags?: number;
    readonly class?: number;
    readonly more?: Buffer;
    readonly counts?: readonly number[];
  } = {},
): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x1234, 0);
  head.writeUInt16BE(change.flags ?? 0x0100, 2);
  for (const [index, count] of (change.counts ?? [1, 0, 0, 0]).entries())
    head.writeUInt16BE(count, 4 + 2 * index);
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]));
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(change.class ?? 1, 2);
  return Buffer.concat([head, ...labels, Buffer.from([0]), tail, change.more ?? Buffer.alloc(0)]);
}

function rcode(message: Buffer): number | undefined {
  const reply = answer(message, NAMES);
  return reply === undefined ? undefined : reply.bytes.readUInt16BE(2) & 0xf;
}

const OPT = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);

test("answer() gives a granted name its addresses and echoes the question's case", () => {
  const message = query("aPi.Example.tesT", 1);
  const reply = answer(message, NAMES);
  assert.ok(reply !== undefined && reply.ungranted === undefined);
  assert.deepEqual(reply.bytes.subarray(12, message.length), message.subarray(12));
  assert.equal(reply.bytes.readUInt16BE(6), 1);
  assert.deepEqual([...reply.bytes.subarray(-4)], [198, 18, 0, 7]);
  const six = answer(query("api.example.test", 28), NAMES);
  assert.equal(six?.bytes.subarray(-16).toString("hex"), "20010db8000000000000000000000007");
});

test("answer() has no other records of a granted name, and no other name", () => {
  const txt = answer(query("api.example.test", 16), NAMES);
  assert.equal(txt?.bytes.readUInt16BE(6), 0);
  assert.equal(rcode(query("api.example.test", 16)), 0);
  assert.equal(rcode(query("secret.evil.test", 1)), 3);
  assert.equal(answer(query("Secret.evil.test", 1), NAMES)?.ungranted, "secret.evil.test");
  assert.equal(rcode(query("x.api.example.test", 1)), 3);
});

test("answer() does not take a dot inside a label for one between labels", () => {
  const message = query("api_example_test", 1);
  message[12 + 4] = 0x2e;
  message[12 + 12] = 0x2e;
  assert.equal(rcode(message), 3);
});

test("answer() refuses what isn't one plain question", () => {
  assert.equal(rcode(query("api.example.test", 1, { flags: 0x8100 })), undefined, "an answer");
  assert.equal(rcode(Buffer.alloc(11)), undefined, "too short");
  assert.equal(rcode(query("api.example.test", 1, { flags: 0x2800 })), 4, "an update");
  assert.equal(rcode(query("api.example.test", 1, { class: 3 })), 5, "class CH");
  assert.equal(rcode(query("api.example.test", 1, { counts: [2, 0, 0, 0] })), 1, "two questions");
  assert.equal(rcode(query("api.example.test", 1, { counts: [0, 0, 0, 0] })), 1, "no question");
  assert.equal(
    rcode(query("api.example.test", 1, { counts: [1, 1, 0, 0] })),
    1,
    "an answer record",
  );
  assert.equal(
    rcode(query("api.example.test", 1, { more: Buffer.from("tail") })),
    1,
    "bytes behind it",
  );
  assert.equal(
    rcode(query(Array.from({ length: 5 }, () => "a".repeat(60)).join("."), 1)),
    1,
    "a long name",
  );
  const compressed = query("api.example.test", 1);
  compressed[12] = 0xc0;
  assert.equal(rcode(compressed), 1, "compression");
});

test("answer() takes an OPT record and answers with one", () => {
  const reply = answer(query("api.example.test", 1, { counts: [1, 0, 0, 1], more: OPT }), NAMES);
  assert.equal((reply?.bytes.readUInt16BE(2) ?? 1) & 0xf, 0);
  assert.equal(reply?.bytes.readUInt16BE(10), 1);
});

test("answer() never throws, whatever it is given", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      answer(Buffer.from(bytes), NAMES);
      answer(Buffer.concat([Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), bytes]), NAMES);
    }),
    { numRuns: 2000 },
  );
});
