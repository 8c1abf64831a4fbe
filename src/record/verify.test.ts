import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import {
  checkpointBody,
  GENESIS,
  headText,
  makeSigningKey,
  openReader,
  publicKeyOf,
  readSealedLine,
  sealLine,
  signerOf,
  type Verification,
} from "./index.ts";

/** Somebody who can write every file of the record, but has not its key, tries to change what is told. */

const KEY = makeSigningKey();
const LINES = 120;

/** A record of three files, the first compressed, with a checkpoint every ten lines and one at each file's end. */
function makeRecord(folder: string, key: string = KEY): void {
  const signer = signerOf(key);
  let hash = GENESIS;
  let text = "";
  let first = 1;
  const put = (body: string): void => {
    const sealed = sealLine(hash, body);
    hash = sealed.hash;
    text += `${sealed.line}\n`;
  };
  for (let seq = 1; seq <= LINES; seq += 1) {
    const time = new Date(Date.UTC(2026, 10, 2, 8, seq)).toISOString();
    if (seq % 10 === 0) put(checkpointBody(signer, { seq, time, reason: "lines", head: hash }));
    else put(`{"seq":${seq},"id":"call-${seq}","time":"${time}","bot":"basecamp","outcome":"done"`);
    if (seq !== 40 && seq !== 80) continue;
    const name = `audit-${String(first).padStart(12, "0")}-20261102T0${first % 7}0000Z.jsonl`;
    if (seq === 40) writeFileSync(join(folder, `${name}.zst`), zstdCompressSync(text));
    else writeFileSync(join(folder, name), text);
    first = seq + 1;
    text = "";
  }
  writeFileSync(join(folder, "audit.jsonl"), text);
  const head = { seq: LINES, hash, time: new Date(0).toISOString(), file: "audit.jsonl" };
  writeFileSync(join(folder, "audit.head"), headText(signer, head));
}

describe("verifyRecord()", () => {
  let folder: string;
  let current: string;
  let head: string;
  let verify: (more?: {
    from?: string;
    heads?: string[];
    keys?: string[];
  }) => Promise<Verification>;
  before(async () => {
    const { verifyRecord } = await openReader();
    verify = (more = {}) => verifyRecord(current, { keys: [publicKeyOf(KEY)], ...more });
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seawall-verify-"));
    current = join(folder, "audit.jsonl");
    head = join(folder, "audit.head");
    makeRecord(folder);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const [packed, plain] = [
    "audit-000000000001-20261102T010000Z.jsonl.zst",
    "audit-000000000041-20261102T060000Z.jsonl",
  ];
  const linesOf = (name: string): string[] =>
    readFileSync(join(folder, name), "latin1").split("\n").slice(0, -1);
  const write = (name: string, lines: readonly string[]): void => {
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
  };
  const codes = async (): Promise<string[]> => [
    ...new Set((await verify()).findings.map(({ code }) => code)),
  ];
  /** Makes the lines follow from each other again, as anybody can. */
  const rechain = (lines: readonly string[], start: string, from = 0): string[] => {
    let hash = start;
    return lines.map((line, at) => {
      const sealed = readSealedLine(line);
      if (sealed === undefined || at < from) {
        hash = sealed?.hash ?? hash;
        return line;
      }
      const again = sealLine(hash, sealed.body);
      hash = again.hash;
      return again.line;
    });
  };

  test("finds nothing in a record that is whole", async () => {
    const result = await verify();
    assert.deepEqual(result.findings, []);
    assert.deepEqual(
      [result.ok, result.signed, result.lines, result.checkpoints, result.first, result.last],
      [true, true, LINES, 12, 1, LINES],
    );
  });

  test("finds any one line removed, changed, repeated, inserted or moved, in any file", async () => {
    const names = [packed, plain, "audit.jsonl"] as const;
    const read = (name: string): string[] =>
      name === packed
        ? zstdDecompressSync(readFileSync(join(folder, name)))
            .toString()
            .split("\n")
            .slice(0, -1)
        : linesOf(name);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.nat(39),
        fc.nat(39),
        fc.constantFrom("remove", "change", "repeat", "insert", "swap", "byte"),
        async (name, at, other, what) => {
          const lines = read(name);
          const before = lines.join("\n");
          const line = lines[at] ?? "";
          if (what === "remove") lines.splice(at, 1);
          if (what === "change") lines[at] = line.replace(/"(bot|time)":"/, '"$1":"x');
          if (what === "repeat") lines.splice(other, 0, line);
          if (what === "insert") lines.splice(at, 0, sealLine(GENESIS, '{"seq":5,"id":"new"').line);
          if (what === "swap") [lines[at], lines[other]] = [lines[other] ?? "", line];
          if (what === "byte") {
            const place = (other * 7) % line.length;
            const code = line.charCodeAt(place);
            lines[at] =
              line.slice(0, place) + String.fromCharCode(code ^ 1) + line.slice(place + 1);
          }
          fc.pre(lines.join("\n") !== before);
          const whole = readFileSync(join(folder, name));
          if (name === packed)
            writeFileSync(
              join(folder, name),
              zstdCompressSync(lines.map((l) => `${l}\n`).join("")),
            );
          else write(name, lines);
          const { ok } = await verify();
          writeFileSync(join(folder, name), whole);
          assert.equal(ok, false, `${what} ${at} ${other} in ${name}`);
        },
      ),
      { numRuns: 150 },
    );
    assert.ok((await verify()).ok);
  });

  test("says what was done: removed, moved, repeated, changed", async () => {
    const lines = linesOf(plain);
    write(plain, lines.toSpliced(5, 2));
    assert.match((await verify()).findings[0]?.message ?? "", /lines 46 to 47 are missing/);
    write(plain, [...lines.slice(0, 5), lines[6] ?? "", lines[5] ?? "", ...lines.slice(7)]);
    assert.deepEqual(await codes(), ["moved"]);
    write(plain, lines.toSpliced(5, 0, lines[3] ?? ""));
    assert.deepEqual(await codes(), ["repeated"]);
    write(plain, lines.with(5, (lines[5] ?? "").replace("basecamp", "somebody")));
    const { findings } = await verify();
    assert.deepEqual(
      findings.map(({ code, line, seq }) => ({ code, line, seq })),
      [{ code: "changed", line: 6, seq: 46 }],
    );
  });

  test("a changed line whose followers are all chained anew fails by the checkpoint's signature", async () => {
    const lines = linesOf("audit.jsonl");
    const start = readSealedLine(linesOf(plain).at(-1) ?? "")?.hash ?? "";
    const changed = lines.with(3, (lines[3] ?? "").replace("basecamp", "somebody"));
    write("audit.jsonl", rechain(changed, start, 3));
    const found = await codes();
    assert.ok(found.includes("bad-signature") && !found.includes("changed"), found.join());
  });

  test("all checkpoints taken out, the rest chained anew: the head's signature still says otherwise", async () => {
    let hash = GENESIS;
    let seq = 0;
    const texts: [string, string[]][] = [
      [
        packed,
        zstdDecompressSync(readFileSync(join(folder, packed)))
          .toString()
          .split("\n")
          .slice(0, -1),
      ],
      [plain, linesOf(plain)],
      ["audit.jsonl", linesOf("audit.jsonl")],
    ];
    for (const [name, lines] of texts) {
      const kept = lines.filter((line) => !line.includes('"kind":"checkpoint"'));
      const out = kept.map((line) => {
        seq += 1;
        const body = readSealedLine(line)?.body.replace(/^\{"seq":\d+/, `{"seq":${seq}`) ?? "";
        const sealed = sealLine(hash, body.replace("basecamp", "somebody"));
        hash = sealed.hash;
        return sealed.line;
      });
      rmSync(join(folder, name));
      const first = readSealedLine(out[0] ?? "")?.seq ?? 0;
      write(
        name === "audit.jsonl"
          ? name
          : `audit-${String(first).padStart(12, "0")}-20261102T010000Z.jsonl`,
        out,
      );
    }
    assert.deepEqual(await codes(), ["truncated"]);
    // With a head of one's own making.
    const made = { seq, hash, time: new Date(0).toISOString(), file: "audit.jsonl" };
    writeFileSync(head, headText(undefined, made));
    assert.deepEqual(await codes(), ["bad-signature"]);
    const foreign = makeSigningKey();
    writeFileSync(head, headText(signerOf(foreign), made));
    assert.deepEqual(await codes(), ["unknown-key"]);
    // A control: whoever has the key can do this, and docs/audit.md says so.
    writeFileSync(head, headText(signerOf(KEY), made));
    assert.ok((await verify()).ok);
  });

  test("the last hour removed is found by the head, between checkpoints too", async () => {
    const lines = linesOf("audit.jsonl");
    for (const keep of [39, 35, 10, 0]) {
      write("audit.jsonl", lines.slice(0, keep));
      assert.deepEqual(await codes(), ["truncated"], `${keep} lines left`);
    }
    rmSync(current);
    assert.deepEqual(await codes(), ["truncated"]);
    rmSync(join(folder, plain));
    assert.deepEqual(await codes(), ["truncated"]);
  });

  test("a head that is gone, broken, of another line or edited is found", async () => {
    const text = readFileSync(head, "latin1");
    rmSync(head);
    assert.deepEqual(await codes(), ["head"]);
    writeFileSync(head, "{}");
    assert.deepEqual(await codes(), ["head"]);
    writeFileSync(head, text.replace(`"seq":${LINES}`, `"seq":${LINES - 1}`));
    assert.deepEqual(await codes(), ["bad-signature", "head"]);
    writeFileSync(head, text);
    assert.deepEqual(await codes(), []);
  });

  test("an old state put back as a whole is found only by a head that was copied away later", async () => {
    const copy = readFileSync(head, "latin1");
    const lines = linesOf("audit.jsonl").slice(0, 10);
    const { seq = 0, hash = "" } = readSealedLine(lines.at(-1) ?? "") ?? {};
    write("audit.jsonl", lines);
    const old = { seq, hash, time: new Date(0).toISOString(), file: "audit.jsonl" };
    writeFileSync(head, headText(signerOf(KEY), old));
    assert.ok((await verify()).ok);
    const { ok, findings } = await verify({ heads: [copy] });
    assert.equal(ok, false);
    assert.equal(findings[0]?.code, "truncated");
  });

  test("a compressed file that was edited, damaged or swapped for another is found", async () => {
    const path = join(folder, packed);
    const whole = readFileSync(path);
    writeFileSync(
      path,
      zstdCompressSync(zstdDecompressSync(whole).toString().replace("basecamp", "x")),
    );
    assert.deepEqual(await codes(), ["changed"]);
    writeFileSync(path, whole.with(60, (whole[60] ?? 0) ^ 255));
    assert.ok((await codes()).length > 0);
    writeFileSync(path, whole.subarray(0, -200));
    assert.ok((await codes()).length > 0);
    writeFileSync(path, whole);
    // A forged plain file beside it.
    copyFileSync(join(folder, plain), path.replace(/\.zst$/, ""));
    assert.ok((await codes()).length > 0);
    rmSync(path.replace(/\.zst$/, ""));
    rmSync(path);
    assert.match((await verify()).findings[0]?.message ?? "", /lines 1 to 40 are missing/);
    assert.deepEqual((await verify({ from: plain })).findings, []);
  });

  test("half a line at the very end is a crash's and told apart; elsewhere it is a finding", async () => {
    const { size } = { size: readFileSync(current).length };
    writeFileSync(current, `${readFileSync(current, "latin1")}{"seq":121,"id":"ca`);
    const { ok, notes } = await verify();
    assert.deepEqual([ok, notes.length], [true, 1]);
    assert.match(notes[0] ?? "", /half a line/);
    truncateSync(current, size);
    truncateSync(join(folder, plain), readFileSync(join(folder, plain)).length - 5);
    assert.deepEqual((await codes()).toSorted(), ["malformed", "removed"]);
  });

  test("bytes that are no line are found: invalid UTF-8, JSON without a hash, a line feed within", async () => {
    const text = readFileSync(current);
    for (const bytes of [
      "\u00ff\u00fe\n",
      '{"seq":121,"id":"x"}\n',
      "\n",
      `${"a".repeat(1 << 20)}\n`,
    ]) {
      writeFileSync(current, Buffer.concat([text, Buffer.from(bytes, "latin1")]));
      assert.deepEqual(await codes(), ["malformed"]);
    }
  });

  test("a record that is signed by another key is not believed", async () => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    makeRecord(folder, makeSigningKey());
    assert.deepEqual(await codes(), ["unknown-key"]);
    // A control: without any key the chain alone is looked at.
    const { ok, signed } = await verify({ keys: [] });
    assert.deepEqual([ok, signed], [false, false]);
  });

  test("a file of the record under a name that it never had changes nothing", async () => {
    renameSync(join(folder, plain), join(folder, `evil-${plain}`));
    assert.ok((await codes()).includes("removed"));
  });
});
