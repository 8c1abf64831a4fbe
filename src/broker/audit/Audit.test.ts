import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { setImmediate as written } from "node:timers/promises";
import { afterEach, beforeEach, describe, test } from "node:test";
import { BrokerError } from "../BrokerError.ts";
import { Audit } from "./Audit.ts";
import type { AuditRecord, AuditStart } from "./AuditRecord.ts";
import { RepeatFilter } from "./RepeatFilter.ts";
import { safePath } from "./safePath.ts";

const START: AuditStart = {
  bot: "basecamp",
  kind: "call",
  grant: "model",
  host: "api.test:443",
  method: "GET",
  path: "/x",
};

function same(text: string): string {
  return text;
}

function hides(text: string): boolean {
  return text.includes("%73ecret");
}

describe("the record", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "seawall-audit-"));
    file = join(folder, "audit.jsonl");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const records = (): AuditRecord[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as AuditRecord);

  test("Audit writes the beginning before and one line after a call, in files that only the owner reads", () => {
    const audit = new Audit(file, same);
    const call = audit.begin(START);
    assert.ok(call !== undefined);
    assert.match(readFileSync(`${file}.journal`, "utf8"), new RegExp(call.id));
    assert.equal(records().length, 0);
    call.end({ outcome: "done", status: 200 });
    call.end({ outcome: "internal-error" });
    audit.close();
    assert.deepEqual(
      records().map(({ id, outcome, status, decision }) => ({ id, outcome, status, decision })),
      [{ id: call.id, outcome: "done", status: 200, decision: "allow" }],
    );
    for (const path of [file, `${file}.journal`]) assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("Audit gives exactly one crash record to a call that was left open, and none to one that ended", async () => {
    const first = new Audit(file, same);
    first.begin(START)?.end({ outcome: "done" });
    const left = first.begin({ ...START, path: "/left" });
    // No close: the process is gone.
    await written();
    const second = new Audit(file, same);
    second.begin(START)?.end({ outcome: "done" });
    await written();
    const third = new Audit(file, same);
    third.close();
    assert.deepEqual(
      records().map((record) => record.outcome),
      ["done", "broker-crash", "done"],
    );
    assert.equal(records()[1]?.id, left?.id);
    assert.equal(records()[1]?.path, "/left");
  });

  test("Audit removes half a line that a crash left, and goes on", async () => {
    const first = new Audit(file, same);
    first.begin(START)?.end({ outcome: "done" });
    await written();
    appendFileSync(file, '{"half":');
    appendFileSync(`${file}.journal`, '{"id":"ha');
    const second = new Audit(file, same);
    second.record(START, { outcome: "refused", code: "not-allowed" });
    assert.deepEqual(
      records().map((record) => record.outcome),
      ["done", "refused"],
    );
  });

  test("Audit keeps its journal small however many calls there are, and keeps what is open in it", async () => {
    const audit = new Audit(file, same);
    audit.begin({ ...START, path: "/open" });
    for (let index = 0; index < 3000; index += 1) audit.begin(START)?.end({ outcome: "done" });
    await written();
    assert.ok(statSync(`${file}.journal`).size < 600_000);
    const next = new Audit(file, same);
    next.close();
    const crashed = records().filter((record) => record.outcome === "broker-crash");
    assert.deepEqual(
      crashed.map((record) => record.path),
      ["/open"],
    );
  });

  test("Audit scrubs the line as a whole", () => {
    const audit = new Audit(file, (text) => text.replaceAll("canary", "{phantom}"));
    audit.begin({ ...START, path: "/canary" })?.end({ outcome: "done" });
    audit.record({ ...START, host: "canary.test" }, { outcome: "refused" });
    audit.close();
    assert.ok(!readFileSync(file, "utf8").includes("canary"));
    assert.ok(!readFileSync(`${file}.journal`, "utf8").includes("canary"));
  });

  test("Audit can't be opened where nothing can be written", () => {
    writeFileSync(join(folder, "plain"), "");
    assert.throws(
      () => new Audit(join(folder, "plain", "audit.jsonl"), same),
      (error) => error instanceof BrokerError && error.code === "audit-unwritable",
    );
  });

  test("Audit lets no call begin while the disk is full, loses no end, and goes on when there is room", async (t) => {
    if (process.getuid?.() !== 0) {
      t.skip("needs root to mount a small file system");
      return;
    }
    const mount = join(folder, "small");
    const made = spawnSync("sh", [
      "-c",
      `mkdir ${mount} && mount -t tmpfs -o size=64k none ${mount}`,
    ]);
    if (made.status !== 0) {
      t.skip("needs to be allowed to mount");
      return;
    }
    try {
      file = join(mount, "audit.jsonl");
      const audit = new Audit(file, same);
      const early = audit.begin({ ...START, path: "/early" });
      const filler = join(mount, "filler");
      spawnSync("sh", ["-c", `head -c 100000 /dev/zero > ${filler}`]);
      assert.ok(existsSync(filler));
      let begun = 0;
      while (audit.begin(START) !== undefined) begun += 1;
      early?.end({ outcome: "done" });
      await written();
      assert.equal(audit.begin(START), undefined);
      rmSync(filler);
      assert.ok(audit.begin({ ...START, path: "/late" }) !== undefined);
      await written();
      assert.ok(records().some((record) => record.path === "/early" && record.outcome === "done"));
      audit.endAll("stopped");
      audit.close();
      assert.equal(records().filter((record) => record.outcome === "stopped").length, begun + 1);
    } finally {
      spawnSync("umount", [mount]);
    }
  });

  test("RepeatFilter writes the first of a kind at once and the others as one line with their count", () => {
    const audit = new Audit(file, same);
    const filter = new RepeatFilter(() => audit);
    for (let index = 0; index < 50; index += 1)
      filter.note(
        { bot: "basecamp", kind: "dns", host: "evil.test" },
        { outcome: "refused", code: "not-granted" },
      );
    for (let index = 0; index < 5000; index += 1)
      filter.note(
        { bot: "basecamp", kind: "dns", host: `x${index}.evil.test` },
        { outcome: "refused", code: "not-granted" },
      );
    filter.flush();
    const all = records();
    assert.ok(all.length < 110, String(all.length));
    assert.equal(
      all.reduce((sum, record) => sum + (record.count ?? 1), 0),
      5050,
    );
    audit.close();
  });

  test("safePath() keeps names of query parameters and hides values, odd bytes and encoded phantoms", () => {
    assert.equal(safePath("/a", "?k=v&other=1&b%C3%A4=2", hides), "/a?k&other");
    assert.equal(safePath("/a\u0007b", "", hides), "/a?b");
    assert.equal(safePath("/%73ecret", "", hides), "{hidden}");
    assert.ok(safePath(`/${"a".repeat(5000)}`, "", hides).length < 600);
  });
});
