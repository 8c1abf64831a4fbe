import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AuditRecord } from "../src/broker/audit/AuditRecord.ts";
import { judge } from "./soak/judge.ts";
import { Ledger, type MadeCall } from "./soak/Ledger.ts";
import { judgeMemory } from "./soak/memory.ts";
import { runSoak } from "./soak/runSoak.ts";

const LAUNCHER = fileURLToPath(new URL("../build/seawall-launch", import.meta.url));
const SECONDS = 15;

const left = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("seawall-soak-"));

test(
  "runSoak(), in its short form: faults and kills, nothing lost, doubled or leaked, the record whole",
  {
    skip:
      !existsSync(LAUNCHER) &&
      process.env["CI"] !== "true" &&
      "the launcher isn't built: ./dev setup",
  },
  async () => {
    const before = left();
    const seed = randomInt(2 ** 31);
    const report = await runSoak({ seconds: SECONDS, seed });
    assert.deepEqual(report.faults, [], `seed ${seed}`);
    assert.equal(report.ok, true);
    assert.equal(report.record.whole, true);
    assert.ok(report.kills > 0);
    assert.ok(report.configurations > 0);
    assert.ok(report.record.lines > 50);
    assert.equal(report.descriptors.end, report.descriptors.idle);
    assert.deepEqual(
      left().filter((name) => !before.includes(name)),
      [],
    );
  },
);

const T = Date.parse("2026-11-27T00:00:00Z");

function callIn(ledger: Ledger, more: Partial<MadeCall> = {}): MadeCall {
  const call = ledger.begin({
    what: "ok",
    kind: "call",
    expect: { get: "whole", status: 200 },
    outcomes: ["done"],
  });
  ledger.end(call, { whole: true, status: 200 });
  return Object.assign(call, { began: T, ended: T + 10 }, more);
}

function lineOf({ id }: MadeCall, more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: "x",
    time: new Date(T).toISOString(),
    bot: "harbour",
    kind: "call",
    path: `/v1/calls/ok-${id}`,
    decision: "allow",
    outcome: "done",
    status: 200,
    durationMs: 1,
    ...more,
  };
}

test("judge() finds a call without a line, one with two, and a line without a call", () => {
  const ledger = new Ledger();
  const [good, lost, doubled] = [callIn(ledger), callIn(ledger), callIn(ledger)];
  const stranger = lineOf({ ...good, id: "0123456789abcdef" });
  const faults = judge(ledger, [lineOf(good), lineOf(doubled), lineOf(doubled), stranger], []);
  assert.deepEqual(faults, [
    "a line that nobody's call has: call /v1/calls/ok-0123456789abcdef",
    `ok ${lost.id}: no line in the record`,
    `ok ${doubled.id}: 2 lines in the record`,
  ]);
});

test("judge() takes a crash for a call that ran at a kill and for no other", () => {
  const crash = { outcome: "broker-crash" } as const;
  const cut = { got: { whole: false } };
  const ledger = new Ledger();
  const [inside, outside] = [
    callIn(ledger, cut),
    callIn(ledger, { ...cut, began: T + 60_000, ended: T + 60_010 }),
  ];
  const faults = judge(
    ledger,
    [lineOf(inside, crash), lineOf(outside, crash)],
    [{ from: T + 5, until: T + 900 }],
  );
  assert.deepEqual(faults, [`ok ${outside.id}: recorded as broker-crash without a kill`]);
});

test("judge() wants a line of what was answered or seen outside, kill or not", () => {
  const downs = [{ from: T + 5, until: T + 900 }];
  const ledger = new Ledger();
  const seen = callIn(ledger, { got: { whole: false }, seen: 1 });
  callIn(ledger, { got: { whole: false } });
  assert.deepEqual(judge(ledger, [], downs), [
    `ok ${seen.id}: no line in the record (answered not, seen 1 times)`,
  ]);
});

test("judge() finds a tunnel without a line, one with two, and one that nobody made", () => {
  const ledger = new Ledger();
  const base = { lane: "tunnel", bot: "reef", host: "t:1", outcomes: ["done"] as const };
  for (const at of [0, 100, 200])
    ledger.tunnels.push({
      ...base,
      began: T + at,
      ended: T + at + 50,
      got: { whole: true, status: 200 },
    });
  const line = (at: number): AuditRecord => ({
    id: "x",
    time: new Date(T + at).toISOString(),
    bot: "reef",
    kind: "tunnel",
    host: "t:1",
    decision: "allow",
    outcome: "done",
    durationMs: 1,
  });
  const faults = judge(ledger, [line(10), line(110), line(120), line(999)], []);
  assert.equal(faults.length, 3);
  assert.match(faults[0] ?? "", /2 lines/);
  assert.match(faults[1] ?? "", /no line/);
  assert.match(faults[2] ?? "", /nobody made/);
});

test("judge() wants the counts of what is recorded by the minute, less what a kill may have taken", () => {
  const ledger = new Ledger();
  for (let at = 0; at < 10; at += 1)
    ledger.noted.push({ bot: "reef", kind: "dns", code: "not-granted", at: T + at });
  const told = lineOf(callIn(new Ledger()), {
    bot: "reef",
    kind: "dns",
    code: "not-granted",
    count: 9,
  });
  assert.deepEqual(judge(ledger, [told], []), [
    "reef dns not-granted: 9 in the record, 10 were answered",
  ]);
  assert.deepEqual(judge(ledger, [told], [{ from: T + 30_000, until: T + 31_000 }]), []);
});

test("judgeMemory() tells growth from warm-up, and judges growth in a long life only", () => {
  const looks = (life: number, bytesAt: (part: number) => number) =>
    Array.from({ length: 30 }, (_, index) => ({
      at: (life * (index + 1)) / 30,
      bytes: bytesAt((index + 1) / 30),
    }));
  const flat = looks(1_200_000, (part) => (part < 0.3 ? 60e6 + part * 1e8 : 90e6));
  assert.equal(judgeMemory(flat, flat).fault, undefined);
  const leaking = looks(1_200_000, (part) => 90e6 + part * 60e6);
  assert.match(judgeMemory(leaking, flat).fault ?? "", /^memory grew: idle from/);
  assert.equal(
    judgeMemory(
      looks(20_000, (part) => 60e6 + part * 30e6),
      [],
    ).fault,
    undefined,
  );
  assert.match(
    judgeMemory(
      looks(20_000, () => 300e6),
      [],
    ).fault ?? "",
    /300 MB/,
  );
});
