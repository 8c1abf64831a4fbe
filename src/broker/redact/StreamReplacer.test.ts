import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SecretValue } from "../../secrets/SecretValue.ts";
import { Redactor } from "./Redactor.ts";
import { compilePatterns, type Replacement } from "./patterns.ts";
import { PatternSet } from "./PatternSet.ts";
import { StreamReplacer } from "./StreamReplacer.ts";

/** The plain meaning: from the left, the longest pattern that begins here, on the whole text. */
function replaceAll(text: string, replacements: readonly Replacement[]): string {
  let out = "";
  for (let at = 0; at < text.length;) {
    const hit = replacements.find(({ pattern }) => text.startsWith(pattern.toString("latin1"), at));
    out += hit === undefined ? text.charAt(at) : hit.replacement.toString("latin1");
    at += hit === undefined ? 1 : hit.pattern.length;
  }
  return out;
}

function inChunks(
  text: string,
  sizes: readonly number[],
  replacements: readonly Replacement[],
): string {
  const replacer = new StreamReplacer(new PatternSet(replacements));
  const out: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    out.push(replacer.push(Buffer.from(text.slice(at, at + size), "latin1")));
    at += size;
  }
  out.push(replacer.end());
  return Buffer.concat(out).toString("latin1");
}

const FEW = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 6 });

test("StreamReplacer gives the same as replacing in the whole, for any patterns and any cuts", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(FEW, { minLength: 1, maxLength: 4 }),
      fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 8 }),
      (patterns, text, sizes) => {
        const replacements = patterns
          .map((pattern, index) => ({
            pattern: Buffer.from(pattern),
            replacement: Buffer.from(`<${index}>`),
          }))
          .toSorted((a, b) => b.pattern.length - a.pattern.length);
        assert.equal(inChunks(text, sizes, replacements), replaceAll(text, replacements));
      },
    ),
    { numRuns: 2000 },
  );
});

test("StreamReplacer takes a secret out of any text in each of its spellings, however it is cut", () => {
  const ascii = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 12,
    maxLength: 40,
  });
  fc.assert(
    fc.property(ascii, ascii, fc.integer({ min: 1, max: 9 }), (secret, around, size) => {
      // One that is made of a few characters may be found in anything.
      fc.pre(new Set(secret).size > 8 && !around.includes(secret.slice(0, 4)));
      const patterns = compilePatterns(secret, "0123456789abcdef");
      const spelled = [
        secret,
        JSON.stringify({ [around]: secret }),
        encodeURIComponent(secret),
        Buffer.from(secret).toString("hex"),
        Buffer.from(secret).toString("base64"),
        ...["", "x", "xy", around].map((prefix) =>
          Buffer.from(prefix + secret + around).toString("base64"),
        ),
        ...["", "x", "xy"].map((prefix) =>
          Buffer.from(prefix + secret + around).toString("base64url"),
        ),
      ];
      for (const [index, text] of spelled.entries()) {
        const out = inChunks(`${around} ${text} ${around}`, [size], patterns);
        assert.ok(!out.includes(secret), `form ${index}`);
        for (const word of out.split(" ")) {
          assert.ok(
            !Buffer.from(word, "base64").toString("latin1").includes(secret),
            `form ${index} base64`,
          );
          assert.ok(
            !Buffer.from(word, "hex").toString("latin1").includes(secret),
            `form ${index} hex`,
          );
          assert.ok(!decodeLoosely(word).includes(secret), `form ${index} percent`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

function decodeLoosely(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

test("StreamReplacer holds nothing back of what ends in something that no token has", () => {
  const replacer = new StreamReplacer(
    new PatternSet(compilePatterns("sk-secret-0123456789", "sk-phantom")),
  );
  for (const text of ["data: {}\n\n", '{"a":[1]}', "<p>", "words, ", "é"])
    assert.equal(replacer.push(Buffer.from(text)).toString(), text);
  assert.equal(replacer.push(Buffer.from("x sk-sec")).toString(), "x ");
  assert.equal(replacer.push(Buffer.from("tion")).toString(), "");
  assert.equal(replacer.push(Buffer.from(" 2")).toString(), "sk-section ");
  assert.equal(replacer.end().toString(), "2");
});

test("StreamReplacer never holds back more than the longest pattern less a byte", () => {
  const set = new PatternSet(compilePatterns("sk-secret-0123456789", "sk-phantom"));
  const replacer = new StreamReplacer(set);
  const out = replacer.push(Buffer.alloc(1000, "a"));
  assert.equal(out.length, 1000 - (set.longest - 1));
});

const token = (length: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(..."abcABC012-_.~+/=:@".split("")),
    minLength: length,
    maxLength: length,
  });

test("the pieces in which a stream leaves tell nothing of the secret, however much of it is guessed", () => {
  // The text is made of one secret's beginnings, in any spelling; the other secret has nothing to do with it.
  const spelled = (secret: string): fc.Arbitrary<string> =>
    fc
      .tuple(fc.nat(secret.length - 1), fc.nat(3), fc.constantFrom("", " ", "\n", '"', "x"))
      .map(([length, way, after]) => {
        const part = secret.slice(0, length);
        const hex = Buffer.from(part).toString("hex");
        return `${[part, hex, Buffer.from(part).toString("base64"), part.replace(/^./, (char) => `%${char.charCodeAt(0).toString(16)}`)][way] ?? ""}${after}`;
      });
  fc.assert(
    fc.property(
      fc
        .tuple(token(20), token(20))
        .chain(([one, two]) =>
          fc.tuple(
            fc.constant(one),
            fc.constant(two),
            fc.array(spelled(one), { minLength: 1, maxLength: 12 }),
          ),
        ),
      ([one, two, chunks]) => {
        const pieces = (secret: string): (number | string)[] => {
          const stream = new Redactor(new SecretValue(secret), "p".repeat(20)).stream();
          const sizes = chunks.map((chunk) => stream.push(Buffer.from(chunk)).length);
          return [...sizes, stream.end().length, stream.count === 0 ? "" : "found"];
        };
        const first = pieces(one);
        const second = pieces(two);
        fc.pre(first.at(-1) === "" && second.at(-1) === "");
        assert.deepEqual(first, second);
      },
    ),
    { numRuns: 2000 },
  );
});
