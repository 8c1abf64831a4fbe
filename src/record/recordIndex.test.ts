import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import {
  GENESIS,
  openReader,
  sealLine,
  type AuditRecord,
  type Filter,
  type RecordGroup,
} from "./index.ts";

const DAY = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);

describe("the index of a record", () => {
  let folder: string;
  let file: string;
  let index: string;
  let reader: Awaited<ReturnType<typeof openReader>>;
  let all: AuditRecord[];
  let hash: string;
  let seq: number;
  before(async () => {
    reader = await openReader();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seawall-index-"));
    file = join(folder, "audit.jsonl");
    index = join(folder, "audit.index.sqlite");
    all = [];
    hash = GENESIS;
    seq = 0;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function append(record: Omit<AuditRecord, "id">): void {
    const whole: AuditRecord = { id: randomUUID(), ...record };
    seq += 1;
    const sealed = sealLine(hash, `{"seq":${seq},${JSON.stringify(whole).slice(1, -1)}`);
    hash = sealed.hash;
    appendFileSync(file, `${sealed.line}\n`);
    all.push(whole);
  }
  function appendMany(count: number, from = 0): void {
    for (let at = from; at < from + count; at += 1) {
      const dns = at % 7 === 0;
      const code = at % 5 === 0 ? { code: "not-allowed" } : {};
      append({
        time: new Date(BEGIN + at * 3_700_000).toISOString(),
        bot: `bot${at % 3}`,
        kind: dns ? "dns" : "call",
        host: dns ? `x${at}.test` : `api${at % 2}.test:443`,
        ...(dns ? { count: 4 } : { grant: `g${at % 4}`, method: "GET", path: `/p/${at % 11}` }),
        decision: at % 5 === 0 ? "refuse" : "allow",
        outcome: at % 5 === 0 ? "refused" : "done",
        ...code,
        bytesIn: at,
        durationMs: at % 100,
      });
    }
  }
  function rotate(first: number, compressed: boolean): void {
    const name = join(folder, `audit-${String(first).padStart(12, "0")}-20260101T000000Z.jsonl`);
    renameSync(file, name);
    if (compressed) compress(first);
  }
  const fits =
    (filter: Filter) =>
    (record: AuditRecord): boolean => {
      const time = Date.parse(record.time);
      return (
        (["kind", "bot", "grant", "method", "outcome", "code", "decision"] as const).every(
          (name) => filter[name] === undefined || filter[name] === record[name],
        ) &&
        (filter.host === undefined ||
          record.host === filter.host ||
          record.host?.startsWith(`${filter.host}:`) === true) &&
        (filter.pathPrefix === undefined || record.path?.startsWith(filter.pathPrefix) === true) &&
        time >= (filter.since ?? 0) &&
        time < (filter.until ?? Infinity)
      );
    };

  test("listRecords() and countRecords() agree with a search line by line", async () => {
    appendMany(150);
    rotate(1, true);
    appendMany(150, 150);
    rotate(151, false);
    appendMany(100, 300);
    const { database, update } = await reader.openIndex(file, index);
    assert.deepEqual(update, { added: 400, rebuilt: true, intact: true });
    const filters = fc.record(
      {
        bot: fc.constantFrom("bot0", "bot1", "none"),
        kind: fc.constantFrom("call", "dns"),
        grant: fc.constantFrom("g0", "g3"),
        host: fc.constantFrom("api0.test", "api1.test:443", "x14.test", "api"),
        outcome: fc.constantFrom("done", "refused"),
        code: fc.constant("not-allowed"),
        decision: fc.constantFrom("allow", "refuse"),
        method: fc.constant("GET"),
        pathPrefix: fc.constantFrom("/", "/p/1", "/p/10", "/none", "/p/%"),
        since: fc.nat(17).map((days) => BEGIN + days * DAY + (days % 2) * 5000),
        until: fc.nat(17).map((days) => BEGIN + days * DAY + (days % 3) * 7_000_000),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        filters,
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom<RecordGroup | undefined>(
          undefined,
          "bot",
          "host",
          "path",
          "day",
          "code",
          "grant",
        ),
        (filter, limit, by) => {
          const right = all.filter(fits(filter));
          const listed = reader.listRecords(database, filter, limit);
          assert.deepEqual(
            listed.map(({ id }) => id),
            right
              .toReversed()
              .slice(0, limit)
              .map(({ id }) => id),
          );
          const totals = new Map<string | null, [number, number]>();
          if (by === undefined) totals.set(null, [0, 0]);
          for (const record of right) {
            const key =
              by === undefined
                ? null
                : by === "day"
                  ? record.time.slice(0, 10)
                  : (record[by] ?? null);
            const [calls, sum] = totals.get(key as string | null) ?? [0, 0];
            totals.set(key as string | null, [
              calls + (record.count ?? 1),
              sum + (record.bytesIn ?? 0),
            ]);
          }
          const counted = reader.countRecords(database, filter, by, "bytesIn");
          assert.deepEqual(
            new Map(counted.map(({ key, calls, sum }) => [key, [calls, sum]])),
            totals,
          );
        },
      ),
      { numRuns: 400 },
    );
    database.close();
  });

  test("listRecords() gives a record back as it was written", async () => {
    appendMany(30);
    const { database } = await reader.openIndex(file, index);
    const listed = reader.listRecords(database, {}, 30).toReversed();
    assert.deepEqual(
      listed.map((record) => ({ ...record, seq: undefined })),
      all.map((record) => ({ ...record, seq: undefined })),
    );
    database.close();
  });

  test("openIndex() reads only what is new: appended, rotated, compressed", async () => {
    const open = async (): Promise<{ added: number; rebuilt: boolean; intact: boolean }> => {
      const { database, update } = await reader.openIndex(file, index);
      const calls = reader.countRecords(database, { kind: "call" }, undefined, undefined)[0]?.calls;
      assert.equal(calls, all.filter(({ kind }) => kind === "call").length);
      database.close();
      return update;
    };
    appendMany(20);
    assert.deepEqual(await open(), { added: 20, rebuilt: true, intact: true });
    assert.deepEqual(await open(), { added: 0, rebuilt: false, intact: true });
    appendMany(5, 20);
    assert.equal((await open()).added, 5);
    appendMany(5, 25);
    rotate(1, false);
    appendMany(5, 30);
    assert.equal((await open()).added, 10);
    compress(1);
    assert.equal((await open()).added, 0, "compressing changes nothing");
    appendMany(5, 35);
    rotate(31, true);
    appendMany(5, 40);
    assert.equal((await open()).added, 10, "what was compressed before it was seen is read once");
    assert.equal(statSync(index).mode & 0o777, 0o600);
  });

  function compress(first: number): void {
    const name = join(folder, `audit-${String(first).padStart(12, "0")}-20260101T000000Z.jsonl`);
    writeFileSync(`${name}.zst`, zstdCompressSync(readFileSync(name)));
    rmSync(name);
  }

  test("openIndex() forgets what was removed, reads anew what was changed, and says when the chain is broken", async () => {
    appendMany(20);
    rotate(1, false);
    appendMany(20, 20);
    const open = async (): Promise<{ calls: number | undefined; intact: boolean }> => {
      const { database, update } = await reader.openIndex(file, index);
      const calls = reader.countRecords(database, { kind: "call" }, undefined, undefined)[0]?.calls;
      database.close();
      return { calls, intact: update.intact };
    };
    const whole = all.filter(({ kind }) => kind === "call").length;
    assert.deepEqual(await open(), { calls: whole, intact: true });
    const text = readFileSync(file, "latin1");
    writeFileSync(file, text.split("\n").slice(0, 10).join("\n") + "\n");
    assert.ok(((await open()).calls ?? whole) < whole);
    // In what has not been read yet; what was read once only `verify` reads again.
    const at = text.lastIndexOf('"bot":"bot0"');
    writeFileSync(file, `${text.slice(0, at)}${text.slice(at).replace("bot0", "evil")}`);
    assert.deepEqual(await open(), { calls: whole, intact: false });
    writeFileSync(file, text);
    rmSync(join(folder, "audit-000000000001-20260101T000000Z.jsonl"));
    const later = all.slice(20).filter(({ kind }) => kind === "call").length;
    assert.equal((await open()).calls, later);
  });

  test("openIndex() makes a damaged or foreign index anew", async () => {
    appendMany(10);
    for (const text of ["", "no database", "\0".repeat(8192)]) {
      writeFileSync(index, text);
      const { database, update } = await reader.openIndex(file, index);
      database.close();
      assert.deepEqual(update, { added: 10, rebuilt: true, intact: true });
    }
  });

  test("csvRow() quotes, and lets no text become a formula", () => {
    assert.equal(
      reader.csvRow(["a", 'say "x"', "1,2", 3, undefined]),
      'a,"say ""x""","1,2",3,\r\n',
    );
    for (const text of ["=HYPERLINK(1)", "+1", "-1+cmd|x", "@SUM(A1)", "\tx", "\rx"])
      assert.match(reader.csvRow([text]), /^"?'/);
    assert.equal(reader.csvRow([-5]), "-5\r\n");
  });
});
