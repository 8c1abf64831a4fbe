import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { setImmediate as written } from "node:timers/promises";
import {
  headText,
  makeSigningKey,
  openReader,
  publicKeyOf,
  recordNames,
  signerOf,
  type Verification,
} from "../../record/index.ts";
import { Audit } from "./Audit.ts";
import type { AuditRecord, AuditStart } from "./AuditRecord.ts";

const KEY = makeSigningKey();
const START: AuditStart = { bot: "basecamp", kind: "call", host: "api.test:443", path: "/x" };

type Line = Partial<AuditRecord> & { seq: number; kind: string; code?: string };

describe("the record's chain", () => {
  let folder: string;
  let file: string;
  let reader: Awaited<ReturnType<typeof openReader>>;
  before(async () => {
    reader = await openReader();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seawall-chain-"));
    file = join(folder, "audit.jsonl");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (rotateBytes?: number): Audit =>
    new Audit(file, (text) => text, { signingKey: KEY, rotateBytes });
  const verify = (): Promise<Verification> =>
    reader.verifyRecord(file, { keys: [publicKeyOf(KEY)] });
  const linesNow = (): Line[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  /** A record of some calls, closed. */
  const fill = (calls: number): void => {
    const audit = open();
    for (let count = 0; count < calls; count += 1)
      audit.begin({ ...START, path: `/${count}` })?.end({ outcome: "done" });
    audit.close();
  };

  test("Audit chains across restarts, with a signed checkpoint at a clean stop and every thousand lines", async () => {
    fill(3);
    fill(2);
    fill(1100);
    const result = await verify();
    assert.deepEqual(result.findings, []);
    assert.deepEqual([result.last, result.checkpoints, result.signed], [1109, 4, true]);
    assert.equal(result.head?.seq, 1109);
    for (const name of readdirSync(folder))
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  });

  test("Audit records what a call took, asked for and cost", () => {
    const audit = open();
    audit.begin({ ...START, httpVersion: "2", rule: "ask POST /x" })?.end({
      outcome: "done",
      approvedBy: "owner",
      waitMs: 1200,
      connectMs: 30,
      firstByteMs: 400,
      tokensIn: 10,
      tokensOut: 20,
      microdollars: 12345,
    });
    audit.close();
    const [line] = linesNow();
    assert.deepEqual(
      { ...line, id: "", time: "", durationMs: 0, hash: "" },
      {
        seq: 1,
        id: "",
        time: "",
        ...START,
        httpVersion: "2",
        rule: "ask POST /x",
        decision: "allow",
        outcome: "done",
        approvedBy: "owner",
        waitMs: 1200,
        connectMs: 30,
        firstByteMs: 400,
        tokensIn: 10,
        tokensOut: 20,
        microdollars: 12345,
        durationMs: 0,
        hash: "",
      },
    );
  });

  test("Audit keeps a bot's bytes within their field: line feeds, JSON, control characters, a megabyte", async () => {
    const audit = open();
    const forged = '","outcome":"done"}\n{"seq":1,"kind":"checkpoint","x":"';
    const odd: string[] = [
      forged,
      "\r\n\u2028\u2029\u0000\u001b[2J",
      "\ud800 half a pair",
      "ä€😀",
      '\\","hash":"0000"}',
      `/${"a".repeat(1 << 20)}`,
      `/${"\n".repeat(1 << 20)}`,
    ];
    for (const path of odd) {
      audit.begin({ ...START, path })?.end({ outcome: "done" });
      audit.record(
        { ...START, path, method: path, host: path },
        { outcome: "refused", code: path },
      );
    }
    audit.close();
    const bytes = readFileSync(file);
    assert.ok(bytes.every((byte) => byte === 10 || (byte >= 0x20 && byte <= 0x7e)));
    const lines = linesNow();
    assert.equal(lines.length, odd.length * 2 + 1);
    assert.deepEqual(
      lines.slice(0, 10).map(({ path }) => path),
      odd.slice(0, 5).flatMap((path) => [path.toWellFormed() === path ? path : path, path]),
    );
    assert.ok(bytes.length < 40_000);
    assert.ok((await verify()).ok);
  });

  test("Audit puts a full file aside, compresses it and goes on in the same chain", async () => {
    const audit = open(4000);
    const long = audit.begin({ ...START, path: "/long" });
    for (let count = 0; count < 60; count += 1) {
      audit.begin(START)?.end({ outcome: "done" });
      await written();
    }
    long?.end({ outcome: "done" });
    audit.close();
    await audit.compressed();
    // Some files may have been rotated too late to be compressed before the end: a start does it.
    const next = open(4000);
    await next.compressed();
    next.close();
    const aside = readdirSync(folder).filter((name) => /^audit-\d{12}-\d{8}T\d{6}Z/.test(name));
    assert.ok(aside.length >= 4, aside.join());
    assert.ok(aside.every((name) => name.endsWith(".jsonl.zst")));
    const result = await verify();
    assert.deepEqual(result.findings, []);
    assert.equal(result.files, aside.length + 1);
    assert.equal(result.lines, result.last);
  });

  test("Audit records a call as crashed that began before a rotation and was open at the kill", async () => {
    const audit = open(4000);
    const left = audit.begin({ ...START, path: "/left" });
    for (let count = 0; count < 30; count += 1) {
      audit.begin(START)?.end({ outcome: "done" });
      await written();
    }
    // No close: the process is gone.
    const next = open();
    next.close();
    await next.compressed();
    const crashed = linesNow().filter(({ outcome }) => outcome === "broker-crash");
    assert.deepEqual(
      crashed.map(({ id, path }) => ({ id, path })),
      [{ id: left?.id, path: "/left" }],
    );
    assert.ok((await verify()).ok);
  });

  test("Audit finishes a rotation that a crash left between its two renames", async () => {
    fill(5);
    const names = recordNames(file);
    const audit = open();
    audit.close();
    writeFileSync(names.next, "");
    // As it lies there after the first rename.
    const rotated = join(folder, "audit-000000000001-20261102T081500Z.jsonl");
    writeFileSync(rotated, readFileSync(file));
    rmSync(file);
    const next = open();
    next.record(START, { outcome: "refused" });
    next.close();
    await next.compressed();
    assert.ok(!existsSync(names.next));
    const result = await verify();
    assert.deepEqual(result.findings, []);
    assert.deepEqual([result.files, result.last], [2, 8]);
  });

  test("Audit tells of a record that was cut while no broker ran, for good", async () => {
    fill(20);
    const kept = readFileSync(file, "latin1").split("\n").slice(0, 8).join("\n");
    writeFileSync(file, `${kept}\n`);
    fill(5);
    fill(5);
    const { findings } = await verify();
    assert.deepEqual(
      findings.map(({ code, seq }) => ({ code, seq })),
      [
        { code: "noticed", seq: 22 },
        { code: "removed", seq: 9 },
      ],
    );
  });

  test("Audit tells of a head that is gone, foreign or of another line", async () => {
    const head = join(folder, "audit.head");
    fill(3);
    rmSync(head);
    fill(1);
    assert.equal(linesNow()[4]?.code, "head-missing");
    writeFileSync(head, readFileSync(head, "latin1").replace('"seq":', '"seq":1'));
    fill(1);
    assert.equal(linesNow().at(-3)?.code, "head-damaged");
    const at = { seq: 2, hash: "0".repeat(64), time: "", file: "audit.jsonl" };
    writeFileSync(head, headText(signerOf(makeSigningKey()), at));
    fill(1);
    assert.equal(linesNow().at(-3)?.code, "head-damaged");
    writeFileSync(head, headText(signerOf(KEY), at));
    fill(1);
    assert.equal(linesNow().at(-3)?.code, "off-head");
    const { findings } = await verify();
    assert.deepEqual([...new Set(findings.map(({ code }) => code))], ["noticed"]);
    assert.equal(findings.length, 4);
  });

  test("Audit puts a damaged end aside and doesn't lose what stood there", async () => {
    fill(5);
    const damage = `${"\0".repeat(300)}\n{"seq":7}\n`;
    writeFileSync(file, readFileSync(file, "latin1") + damage, "latin1");
    fill(1);
    const aside = readdirSync(folder).filter((name) => name.startsWith("audit-damaged-"));
    assert.equal(aside.length, 1);
    assert.equal(readFileSync(join(folder, aside[0] ?? ""), "latin1"), damage);
    const result = await verify();
    assert.deepEqual(
      result.findings.map(({ code }) => code),
      ["noticed"],
    );
    assert.equal(result.notes.length, 1);
  });

  test("Audit removes half a line, as a crash leaves it, without a word", async () => {
    fill(5);
    const half = '{"seq":7,"id":"0';
    writeFileSync(file, readFileSync(file, "latin1") + half);
    fill(1);
    assert.deepEqual((await verify()).findings, []);
    // What a power cut took that was never synced leaves no trace either; a line the head names does.
    truncateSync(file, statSync(file).size - 100);
    fill(1);
    assert.equal((await verify()).ok, false);
  });

  test("Audit lets no call begin when its head can't be synced, until it can", async () => {
    const audit = open();
    assert.ok(audit.begin(START) !== undefined);
    const moved = `${folder}-moved`;
    // The folder is gone: writes to the open file still work, but the head can't be replaced.
    renameSync(folder, moved);
    try {
      while (audit.begin(START) !== undefined) await written();
      renameSync(moved, folder);
      while (audit.begin(START) === undefined) await written();
    } finally {
      if (existsSync(moved)) renameSync(moved, folder);
      audit.close();
    }
  });
});
