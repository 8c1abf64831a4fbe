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

/** Sections of an answer, as far as the tests look. */
function read(message: Buffer, names: Names = NAMES) {
  const bytes = answer(message, names)?.bytes;
  assert.ok(bytes !== undefined);
  const flags = bytes.readUInt16BE(2);
  const counts = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  return { bytes, flags, rcode: flags & 0xf, counts };
}

function rcode(message: Buffer): number | undefined {
  const reply = answer(message, NAMES);
  return reply === undefined ? undefined : reply.bytes.readUInt16BE(2) & 0xf;
}

/** An OPT record with an option or two. */
function opt(version = 0, options: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.from([0, 0, 41, 4, 208, 0, version, 0x80, 0, 0, 0]);
  head.writeUInt16BE(options.length, 9);
  return Buffer.concat([head, options]);
}
const COOKIE = Buffer.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
const WITH_OPT = [1, 0, 0, 1];

const A = 1;
const TXT = 16;
const AAAA = 28;
const SVCB = 64;
const HTTPS = 65;

test("answer() gives a granted name its addresses and echoes the question's case", () => {
  const message = query("aPi.Example.tesT", A);
  const { bytes, counts, flags } = read(message);
  assert.deepEqual(bytes.subarray(12, message.length), message.subarray(12));
  assert.deepEqual(counts, [1, 1, 0, 0]);
  assert.equal(flags, 0x8580);
  assert.equal(bytes.readUInt16BE(0), 0x1234);
  assert.deepEqual([...bytes.subarray(-4)], [198, 18, 0, 7]);
  assert.equal(answer(message, NAMES)?.ungranted, undefined);
  const six = read(query("api.example.test", AAAA));
  assert.equal(six.bytes.subarray(-16).toString("hex"), "20010db8000000000000000000000007");
  const without = read(query("api.example.test", A, { flags: 0 }));
  assert.equal(without.flags, 0x8480);
});

/** Where the one authority record of an answer without others begins. */
function authority(message: Buffer, names?: Names): Buffer {
  const { bytes, counts } = read(message, names);
  assert.deepEqual(counts.slice(0, 3), [1, 0, 1]);
  return bytes.subarray(12 + questionLength(message));
}
function questionLength(message: Buffer): number {
  return message.indexOf(0, 12) + 5 - 12;
}

test("answer() says of a granted name that it has no other records, HTTPS and SVCB among them", () => {
  for (const type of [HTTPS, SVCB, TXT, 15, 2, 6, 127, 256, 65_535]) {
    const message = query("api.example.test", type);
    assert.equal(read(message).rcode, 0, String(type));
    const soa = authority(message);
    assert.deepEqual([...soa.subarray(0, 5)], [0, 0, 6, 0, 1], "an SOA of the root");
    assert.equal(soa.readUInt32BE(5), 5, "TTL");
    assert.equal(soa.readUInt16BE(9), soa.length - 11, "its length is right");
    assert.equal(soa.readUInt32BE(soa.length - 4), 5, "what RFC 2308 takes for the TTL");
  }
  const v4: Names = new Map([["v4.test", { v4: "198.18.0.1" }]]);
  assert.equal(authority(query("v4.test", AAAA), v4)[2], 6);
});

test("answer() knows no other name, and says which it was", () => {
  for (const name of ["secret.evil.test", "x.api.example.test", "xapi.example.test", "com"]) {
    for (const type of [A, AAAA, HTTPS, TXT]) {
      assert.equal(rcode(query(name, type)), 3, name);
      assert.equal(authority(query(name, type))[2], 6);
      assert.equal(answer(query(name, type), NAMES)?.ungranted, name);
    }
  }
  assert.equal(answer(query("SECRET.evil.test", A), NAMES)?.ungranted, "secret.evil.test");
  assert.equal(rcode(query("7.0.18.198.in-addr.arpa", 12)), 3);
});

test("answer() lets the names above a granted one exist, so that no cache denies it", () => {
  for (const name of ["example.test", "test", "TEST"]) {
    assert.equal(rcode(query(name, A)), 0);
    assert.equal(authority(query(name, A))[2], 6);
    assert.equal(answer(query(name, A), NAMES)?.ungranted, name.toLowerCase());
  }
  const root = Buffer.concat([query("x", A).subarray(0, 12), Buffer.from([0, 0, 2, 0, 1])]);
  assert.equal(rcode(root), 0);
  assert.equal(answer(root, NAMES)?.ungranted, undefined);
});

test("answer() refuses transfers, ANY and other types that are none", () => {
  for (const type of [0, 41, 128, 249, 250, 251, 252, 253, 254, 255]) {
    const { rcode: code, counts } = read(query("api.example.test", type));
    assert.equal(code, 5, String(type));
    assert.deepEqual(counts, [1, 0, 0, 0]);
    assert.equal(answer(query("evil.test", type), NAMES)?.ungranted, "evil.test");
  }
});

test("answer() does not take a dot inside a label for one between labels", () => {
  const message = query("api_example_test", A);
  message[12 + 4] = 0x2e;
  message[12 + 12] = 0x2e;
  assert.equal(rcode(message), 3);
  for (const odd of ["api\0.example.test", "api.exa\xe4mple.test", "api. example.test"])
    assert.equal(rcode(query(odd, A)), 3);
});

test("answer() answers nothing to what is no question at all", () => {
  const message = query("api.example.test", A);
  for (let length = 0; length < 12; length += 1)
    assert.equal(answer(message.subarray(0, length), NAMES), undefined);
  assert.equal(rcode(query("api.example.test", A, { flags: 0x8100 })), undefined, "an answer");
  assert.equal(rcode(query("api.example.test", A, { flags: 0xffff })), undefined);
});

test("answer() refuses what isn't one plain question", () => {
  const wrong = (code: number, change: Parameters<typeof query>[2], what: string): void => {
    assert.equal(rcode(query("api.example.test", A, change)), code, what);
  };
  for (let opcode = 1; opcode < 16; opcode += 1) wrong(4, { flags: opcode << 11 }, "an opcode");
  wrong(1, { flags: 0x0300 }, "cut short");
  for (const other of [0, 2, 3, 4, 254, 255, 65_535]) wrong(5, { class: other }, "a class");
  wrong(1, { counts: [0, 0, 0, 0] }, "no question");
  wrong(1, { counts: [2, 0, 0, 0] }, "two questions");
  wrong(1, { counts: [2, 0, 0, 0], more: query("b.test", A).subarray(12) }, "two questions");
  wrong(1, { counts: [65_535, 0, 0, 0] }, "many questions");
  wrong(1, { counts: [1, 1, 0, 0] }, "an answer record");
  wrong(1, { counts: [1, 0, 1, 0] }, "an authority record");
  wrong(1, { counts: [1, 0, 0, 1] }, "an additional record that isn't there");
  wrong(1, { more: Buffer.from("tail") }, "bytes behind it");
  const message = query("api.example.test", A);
  for (let length = 12; length < message.length; length += 1)
    assert.equal(rcode(message.subarray(0, length)), 1, "cut short");
  const { bytes, counts } = read(query("api.example.test", A, { class: 3 }));
  assert.deepEqual(counts, [1, 0, 0, 0]);
  assert.equal(bytes.readUInt16BE(bytes.length - 2), 3, "the question is echoed");
});

test("answer() refuses compression, in a loop or not, and labels and names that are too long", () => {
  for (const first of [0xc0, 0xff, 0x80, 0x40, 64]) {
    const compressed = query("api.example.test", A);
    compressed[12] = first;
    compressed[13] = 12;
    assert.equal(rcode(compressed), 1, String(first));
  }
  const within = query("api.example.test", A);
  within.writeUInt16BE(0xc00c, 16);
  assert.equal(rcode(within), 1);
  const longest = `${"a".repeat(63)}.${"a".repeat(63)}.${"a".repeat(63)}.${"a".repeat(61)}`;
  assert.equal(rcode(query(longest, A)), 3, "255 octets");
  assert.equal(rcode(query(`${longest}a`, A)), 1, "256 octets");
  assert.equal(rcode(query(Array.from({ length: 127 }, () => "a").join("."), A)), 3);
  assert.equal(rcode(query(Array.from({ length: 128 }, () => "a").join("."), A)), 1);
});

test("answer() takes an OPT record and answers with one, whatever its options ask for", () => {
  for (const more of [opt(), opt(0, COOKIE), opt(0, Buffer.from([0])), opt(0, Buffer.alloc(500))]) {
    const {
      rcode: code,
      counts,
      bytes,
    } = read(query("api.example.test", A, { counts: WITH_OPT, more }));
    assert.equal(code, 0);
    assert.deepEqual(counts, [1, 1, 0, 1]);
    assert.deepEqual([...bytes.subarray(-11)], [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
  }
  const no = read(query("evil.test", A, { counts: WITH_OPT, more: opt() }));
  assert.deepEqual([no.rcode, ...no.counts], [3, 1, 0, 1, 1]);
});

test("answer() says BADVERS to another version of EDNS", () => {
  for (const version of [1, 2, 255]) {
    const more = opt(version);
    const {
      rcode: code,
      counts,
      bytes,
    } = read(query("api.example.test", A, { counts: WITH_OPT, more }));
    assert.equal(code, 0, "the lower bits of 16");
    assert.deepEqual(counts, [1, 0, 0, 1]);
    assert.deepEqual([...bytes.subarray(-6)], [1, 0, 0, 0, 0, 0], "the upper bits, our version");
  }
});

test("answer() refuses an OPT record that isn't one, or isn't alone", () => {
  const more = opt();
  for (const [at, byte] of [
    [0, 1],
    [2, 1],
    [10, 1],
  ] as const) {
    const wrong = Buffer.from(more);
    wrong[at] = byte;
    assert.equal(rcode(query("api.example.test", A, { counts: WITH_OPT, more: wrong })), 1);
  }
  const two = Buffer.concat([more, more]);
  assert.equal(rcode(query("api.example.test", A, { counts: WITH_OPT, more: two })), 1);
  assert.equal(rcode(query("api.example.test", A, { counts: [1, 0, 0, 2], more: two })), 1);
  assert.equal(rcode(query("api.example.test", A, { more })), 1, "not announced");
});

const GRANTED = query("api.example.test", A).toString("latin1", 12, 30);

/** Questions that are nearly right. */
const nearly = fc
  .record({
    name: fc.oneof(
      fc.constantFrom("api.example.test", "example.test", "evil.test"),
      fc
        .array(fc.string({ minLength: 1, maxLength: 63 }), { minLength: 1, maxLength: 6 })
        .map((labels) => labels.map((label) => label.replaceAll(".", "-").slice(0, 60)).join(".")),
    ),
    type: fc.oneof(fc.constantFrom(A, AAAA, HTTPS, SVCB, 255), fc.integer({ min: 0, max: 65_535 })),
    class: fc.constantFrom(1, 1, 1, 3, 255),
    flags: fc.oneof(fc.constant(0x0100), fc.integer({ min: 0, max: 65_535 })),
    counts: fc.constantFrom([1, 0, 0, 0], WITH_OPT, [2, 0, 0, 0], [1, 1, 1, 1]),
    more: fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.uint8Array({ maxLength: 600 }).map((bytes) => opt(0, Buffer.from(bytes))),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    ),
  })
  .map(({ name, type, ...change }) => query(name, type, change));

test("answer() never throws and never says more than 512 bytes nor anything of another name", () => {
  const check = (message: Buffer): void => {
    const reply = answer(message, NAMES);
    if (reply === undefined) return;
    const { bytes } = reply;
    assert.ok(bytes.length >= 12 && bytes.length <= 512, String(bytes.length));
    assert.equal(bytes.readUInt16BE(0), message.readUInt16BE(0));
    assert.equal(bytes.readUInt16BE(2) & 0xfe80, 0x8480);
    const answers = bytes.readUInt16BE(6);
    if (answers > 0) {
      assert.equal(answers, 1);
      assert.equal(message.toString("latin1", 12, 30).toLowerCase(), GRANTED);
    }
  };
  fc.assert(
    fc.property(
      nearly,
      fc.nat(),
      fc.option(fc.integer({ min: 0, max: 255 })),
      (message, at, byte) => {
        if (byte !== null) message[at % message.length] = byte;
        check(message);
        check(message.subarray(0, at % message.length));
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      check(Buffer.from(bytes));
      check(Buffer.concat([Buffer.from([1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), bytes]));
    }),
    { numRuns: 2000 },
  );
});
