import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { compilePhantoms } from "./redact/BodyScanner.ts";
import { decodePercent, equalInConstantTime, PhantomIndex } from "./phantoms.ts";

const FEW = fc.string({ unit: fc.constantFrom("a", "b", "A"), minLength: 2, maxLength: 6 });

test("PhantomIndex finds what a naive search finds, in any text", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(FEW, { minLength: 1, maxLength: 4 }),
      fc.string({ unit: fc.constantFrom("a", "b", "A", "é", "%61", "%", "-"), maxLength: 30 }),
      (phantoms, text) => {
        const found = new PhantomIndex(phantoms).find(text);
        const decoded = decodePercent(text);
        const naive = phantoms.some((each) => text.includes(each) || decoded.includes(each));
        assert.equal(found !== undefined, naive);
        if (found !== undefined) assert.ok(phantoms.includes(found));
      },
    ),
    { numRuns: 3000 },
  );
});

test("PhantomIndex.scrub() leaves no phantom in any case of letters, and nothing else out", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.string({ unit: fc.constantFrom("x", "Y", "9"), minLength: 3, maxLength: 6 }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      fc.string({ unit: fc.constantFrom("x", "y", "9", "-", "X"), maxLength: 40 }),
      (phantoms, text) => {
        const scrubbed = new PhantomIndex(phantoms).scrub(text);
        for (const phantom of phantoms)
          assert.ok(!scrubbed.toLowerCase().includes(phantom.toLowerCase()));
        if (phantoms.every((each) => !text.toLowerCase().includes(each.toLowerCase())))
          assert.equal(scrubbed, text);
      },
    ),
    { numRuns: 2000 },
  );
});

test("PhantomIndex of nothing finds nothing", () => {
  const none = new PhantomIndex([]);
  assert.equal(none.find("anything"), undefined);
  assert.equal(none.scrub("anything"), "anything");
});

test("PhantomIndex.hasForeign() finds another bot's phantom in a body, not the bot's own", () => {
  const index = new PhantomIndex(
    ["own-phantom", "other-phantom"],
    new Map([["basecamp", compilePhantoms(["other-phantom"])]]),
  );
  assert.equal(index.hasForeign("basecamp", Buffer.from("x own-phantom x")), false);
  assert.equal(index.hasForeign("basecamp", Buffer.from("x other-phantom x")), true);
  assert.equal(index.hasForeign("nobody", Buffer.from("x other-phantom x")), false);
});

test("equalInConstantTime() is equality", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), (a, b) => {
      assert.equal(equalInConstantTime(a, b), a === b && a.isWellFormed() && b.isWellFormed());
    }),
  );
  assert.equal(equalInConstantTime("same", "same"), true);
});
