import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SecretValue } from "../../secrets/index.ts";
import { Redactor } from "./Redactor.ts";

const SECRET = "sk-real-8c1f0b7a9d3e5f2461b0a7c9d8e3f4a5";
const PHANTOM = "sk-fake-00112233445566778899aabbccddeeff";

/** Lines of so many columns. */
function broken(text: string, columns: number, end: string): string {
  const lines = Buffer.from(text)
    .toString("base64")
    .match(new RegExp(`.{1,${columns}}`, "g"));
  return (lines ?? []).join(end);
}

function undo(text: string): string {
  return Buffer.from(text.replaceAll(/\\r|\\n|[\r\n]/g, ""), "base64").toString("latin1");
}

function redact(redactor: Redactor, chunks: readonly string[]): { out: string; pieces: string[] } {
  const stream = redactor.stream();
  const pieces = chunks.map((chunk) =>
    stream.push(Buffer.from(chunk, "latin1")).toString("latin1"),
  );
  return { out: pieces.join("") + stream.end().toString("latin1"), pieces };
}

describe("base64 that is broken into lines", () => {
  const redactor = new Redactor(new SecretValue(SECRET), PHANTOM);

  for (const end of ["\r\n", "\n", "\\n", "\\r\\n"])
    for (const columns of [76, 64, 20])
      test(`is found with ${columns} columns and ${JSON.stringify(end)}, wherever the secret stands`, () => {
        for (let before = 0; before < 120; before += 1) {
          const text = `${"x".repeat(before)}${SECRET}${"y".repeat(90)}`;
          const sent = broken(text, columns, end);
          const { out } = redact(redactor, [`"${sent}"`]);
          const read = undo(out);
          // The letters at either end of it share a group of base64 with their neighbours.
          assert.ok(!read.includes(SECRET.slice(2, -2)), `${before} before it`);
          assert.ok(read.includes(PHANTOM.slice(2, -2)), `${before} before it`);
          assert.equal(out.length, sent.length + 2);
        }
      });

  test("is found across chunks, where lines are as wide as they usually are", () => {
    for (const [columns, end] of [
      [76, "\r\n"],
      [76, "\n"],
      [64, "\n"],
    ] as const)
      for (const before of [0, 20, 40, 50, 100]) {
        const text = `${"x".repeat(before)}${SECRET}${"y".repeat(90)}`;
        const sent = broken(text, columns, end);
        for (let cut = 1; cut < sent.length; cut += 1) {
          const { out } = redact(redactor, [sent.slice(0, cut), sent.slice(cut)]);
          assert.ok(!undo(out).includes(SECRET.slice(2, -2)), `${before} before it, cut at ${cut}`);
        }
        const { out } = redact(redactor, sent.split(""));
        assert.ok(
          !undo(out).includes(SECRET.slice(2, -2)),
          `${before} before it, letter by letter`,
        );
      }
  });

  test("a long secret over many lines is found", () => {
    const long = Array.from({ length: 30 }, (_none, index) => `${SECRET}-${index}`).join("+");
    const all = new Redactor(new SecretValue(long), "p".repeat(long.length));
    const sent = broken(`before ${long} behind`, 76, "\r\n");
    for (const chunks of [[sent], sent.split(""), sent.split(/(?<=\n)/)]) {
      const { out } = redact(all, chunks);
      assert.ok(!undo(out).includes(SECRET));
      assert.ok(undo(out).includes("p".repeat(long.length - 4)));
    }
  });

  test("nothing else waits: events, lines of text, JSON and short lines of base64", () => {
    for (const chunk of [
      "data: {}\n\n",
      "data: abc\n\n",
      "word\n",
      `${"a".repeat(75)}\n`,
      `${"a".repeat(77)}\n`,
      `${"a".repeat(76)}"\n`,
      '{"a":1}\r\n',
      "YWJj\nZGVm\n",
    ]) {
      const { pieces } = redact(redactor, [chunk]);
      assert.deepEqual(pieces, [chunk]);
    }
  });

  test("what waits is told by its shape: the secret's own letters and any others wait alike", () => {
    const line = Buffer.from(`${SECRET}${"z".repeat(40)}`)
      .toString("base64")
      .slice(0, 76);
    const other = Buffer.from("q".repeat(80)).toString("base64").slice(0, 76);
    for (let most = 0; most <= 76; most += 1) {
      const [one, two] = [line, other].map((text) => {
        const { pieces } = redact(redactor, [`\n${text.slice(0, most).padEnd(76, "Q")}\n`]);
        return pieces[0]?.length;
      });
      assert.equal(one, two);
    }
  });

  test("text that only looks like it is left alone", () => {
    const text = `${broken("nothing to see here, move along please. ".repeat(20), 76, "\r\n")}\r\n`;
    assert.equal(redact(redactor, text.split("")).out, text);
    assert.equal(redact(redactor, [text]).out, text);
  });
});
