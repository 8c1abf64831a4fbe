import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SecretValue } from "../../secrets/SecretValue.ts";
import { Redactor } from "./Redactor.ts";

const SECRET = "sk-Real_0123/45+67=89.zYxW";
const PHANTOM = "sk-Fake_aaaabbbbccccddddee";

function inChunks(redactor: Redactor, text: string, sizes: readonly number[]): string {
  const stream = redactor.stream();
  const out: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    out.push(stream.push(Buffer.from(text.slice(at, at + size), "latin1")));
    at += size;
  }
  out.push(stream.end());
  return Buffer.concat(out).toString("latin1");
}

/** Ways to write one character that undoing escapes once reads back. */
const WRITTEN: readonly ((char: string) => string)[] = [
  (char) => char,
  (char) => `%${char.charCodeAt(0).toString(16)}`,
  (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  (char) => `\\u00${char.charCodeAt(0).toString(16).toUpperCase()}`,
  (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  (char) => (/[A-Za-z0-9]/.test(char) ? char : `\\${char}`),
  (char) => `&#${char.charCodeAt(0)};`,
  (char) => `&#x${char.charCodeAt(0).toString(16)};`,
  (char) => `&#X${char.charCodeAt(0).toString(16).toUpperCase()};`,
  (char) => (char === "&" ? "&amp;" : char),
];

/** Undoes every escape once. */
function read(text: string): string {
  return text
    .replaceAll("&amp;", "&")
    .replaceAll(
      /%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|&#x([0-9a-f]+);|&#([0-9]+);/gi,
      (_all, ...groups) => {
        const [percent, unicode, x, hex, decimal] = groups as (string | undefined)[];
        const digits = percent ?? unicode ?? x ?? hex;
        return String.fromCharCode(
          digits === undefined ? Number(decimal) : Number.parseInt(digits, 16),
        );
      },
    )
    .replaceAll(/\\([^A-Za-z0-9])/g, "$1");
}

const ascii = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 8,
  maxLength: 40,
});
const spelling = fc.array(fc.nat(WRITTEN.length - 1), { minLength: 1, maxLength: 40 });
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

const write = (secret: string, ways: readonly number[]): string =>
  secret
    .split("")
    .map((char, index) => WRITTEN[ways[index % ways.length] ?? 0]?.(char) ?? char)
    .join("");

test("Redactor finds a secret of which any characters are escaped in any way, however it is cut", () => {
  fc.assert(
    fc.property(ascii, spelling, sizes, (secret, ways, cuts) => {
      // One that has what escapes are made of can be read in two ways, and is found in the first.
      fc.pre(new Set(secret).size > 5 && !/[%&\\]/.test(secret));
      const redactor = new Redactor(new SecretValue(secret), PHANTOM);
      const out = inChunks(redactor, `"<${write(secret, ways)}>" tail`, cuts);
      assert.ok(!out.includes(secret));
      assert.ok(!read(out).includes(secret), out);
      assert.ok(out.startsWith('"<') && out.endsWith('>" tail'));
    }),
    { numRuns: 3000 },
  );
});

test("Redactor gives the same however a text is cut, escapes or not", () => {
  const noise = fc.string({
    unit: fc.constantFrom(
      "%",
      "\\",
      "u00",
      "&#",
      ";",
      "x",
      "6",
      "1",
      "a",
      "%61",
      "\\u0062",
      "c",
      "&#99;",
      " ",
    ),
    maxLength: 40,
  });
  fc.assert(
    fc.property(
      fc.constantFrom("abcabcab", "aabbaabb", "a%b\\c&a;", "abc61abc"),
      noise,
      spelling,
      noise,
      sizes,
      (secret, before, ways, after, cuts) => {
        const redactor = new Redactor(new SecretValue(secret), "01234567");
        const text = `${before} ${write(secret, ways)}${after}`;
        assert.equal(inChunks(redactor, text, cuts), inChunks(redactor, text, [text.length]));
      },
    ),
    { numRuns: 5000 },
  );
});

test("Redactor keeps every length where phantom and secret are of one shape", () => {
  const redactor = new Redactor(
    new SecretValue("sk-real-0123456789abcdef"),
    "sk-fake-fedcba9876543210",
  );
  assert.equal(redactor.keepsLengths, true);
  fc.assert(
    fc.property(spelling, sizes, (ways, cuts) => {
      const text = `{"a":"${write("sk-real-0123456789abcdef", ways)}"}`;
      const out = inChunks(redactor, text, cuts);
      assert.equal(out.length, text.length);
      assert.ok(!read(out).includes("sk-real"));
    }),
    { numRuns: 500 },
  );
});

test("Redactor writes the phantom as the secret was written", () => {
  const redactor = new Redactor(new SecretValue("sk-real-01234567"), "sk-fake-76543210");
  for (const [from, to] of [
    ["%73k-real-0123456%37", "%73k-fake-7654321%30"],
    ["\\u0073k-real-01234567", "\\u0073k-fake-76543210"],
    ["s&#x6B;-real-01234567", "s&#x6b;-fake-76543210"],
    ["s&#107;-real-01234567", "s&#107;-fake-76543210"],
  ] as const)
    assert.equal(redactor.text(`<${from}>`), `<${to}>`);
});

test("Redactor finds UTF-16, other cases of letters, and what is encoded twice", () => {
  const redactor = new Redactor(new SecretValue(SECRET), PHANTOM);
  const utf16 = Buffer.from(SECRET, "utf16le");
  const base64 = Buffer.from(`user:${SECRET}`).toString("base64");
  for (const text of [
    utf16.toString("latin1"),
    Buffer.from(utf16).swap16().toString("latin1"),
    SECRET.toLowerCase(),
    SECRET.toUpperCase(),
    encodeURIComponent(encodeURIComponent(SECRET)),
    JSON.stringify(JSON.stringify({ a: SECRET })),
    encodeURIComponent(base64),
    base64.replaceAll("/", "\\/"),
  ]) {
    const out = redactor.text(`x ${text} y`);
    assert.notEqual(out, `x ${text} y`);
    assert.ok(!out.includes(text.slice(text.length / 4, (text.length * 3) / 4)), text);
  }
});

test("Redactor takes the secret out of Basic pairs with any user and password around", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (before, after) => {
      const redactor = new Redactor(new SecretValue(SECRET), PHANTOM);
      const out = redactor.text(
        `Basic ${Buffer.from(`${before}${SECRET}${after}`).toString("base64")}`,
      );
      assert.ok(!Buffer.from(out.slice(6), "base64").toString("latin1").includes(SECRET));
    }),
  );
});

test("Redactor lets texts with escapes leave at once, and holds back what may be in the middle of one", () => {
  const stream = new Redactor(new SecretValue("sk-real-01234567"), "sk-fake-76543210").stream();
  const push = (text: string): string => stream.push(Buffer.from(text)).toString();
  assert.equal(push('data: {"a":"b\\u00e9\\n"}\n\n'), 'data: {"a":"b\\u00e9\\n"}\n\n');
  assert.equal(push("at 100%"), "at ");
  assert.equal(push(" a \\u0073k-real-012"), "100% a ");
  assert.equal(push("34%35"), "");
  assert.equal(push("67 "), "\\u0073k-fake-76543%3210 ");
  assert.equal(stream.end().toString(), "");
});

test("Redactor leaves out a header whose name holds the secret in any case", () => {
  const redactor = new Redactor(new SecretValue("sk-real-01234567"), "sk-fake-76543210");
  assert.deepEqual(
    redactor.headers([
      ["X-Sk-Real-01234567", "a"],
      ["x-other", "sk-real-01234567"],
    ]),
    [["x-other", "sk-fake-76543210"]],
  );
});
