import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeSigningKey, openReader, publicKeyOf, recordNames } from "../../record/index.ts";
import { Audit } from "./Audit.ts";
import type { AuditRecord } from "./AuditRecord.ts";

const CHILD = fileURLToPath(new URL("../testing/auditChild.ts", import.meta.url));
const ROUNDS = 10;

/** Starts it, lets it work for a while and kills it. Gives the ids of the calls that had begun. */
async function runAndKill(file: string, key: string, ms: number): Promise<string[]> {
  const child = spawn(process.execPath, [CHILD, file, String(250_000), key], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  await once(child.stdout, "data");
  // Not to synchronise with anything: any point is as good as another.
  await wait(ms);
  child.kill("SIGKILL");
  await once(child, "close");
  return [...said.matchAll(/^b (\S+)$/gm)].map((match) => match[1] ?? "");
}

async function recordsOf(file: string): Promise<AuditRecord[]> {
  const { openRecord, readLines } = await openReader();
  using files = openRecord(recordNames(file));
  const records: AuditRecord[] = [];
  for (const each of files)
    for await (const { lines } of readLines(each))
      records.push(...lines.map((line) => JSON.parse(line) as AuditRecord));
  return records;
}

test("Audit killed at any moment: the chain goes on, every call that began has one record, none has two", async () => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-kill-"));
  const file = join(folder, "audit.jsonl");
  const key = makeSigningKey();
  const { verifyRecord } = await openReader();
  try {
    const begun: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      begun.push(...(await runAndKill(file, key, Math.random() * 400)));
      // As it lies there, before anybody has mended anything.
      const { findings } = await verifyRecord(file, { keys: [publicKeyOf(key)] });
      assert.deepEqual(findings, [], `after kill ${round}`);
    }
    const last = new Audit(file, (text) => text, { signingKey: key });
    last.close();
    await last.compressed();
    const result = await verifyRecord(file, { keys: [publicKeyOf(key)] });
    assert.deepEqual(result.findings, []);
    assert.ok(result.ok && result.signed && result.files > 3, `${result.files} files`);

    const records = (await recordsOf(file)).filter(({ id }) => id !== undefined);
    const ids = records.map(({ id }) => id);
    const distinct = new Set(ids);
    assert.equal(distinct.size, ids.length, "no call twice");
    assert.ok(begun.length > 100);
    const missing = begun.filter((id) => !distinct.has(id));
    assert.deepEqual(missing, [], "every call that began is recorded");
    const crashed = records.filter(({ outcome }) => outcome === "broker-crash").length;
    assert.ok(crashed >= ROUNDS, `${crashed} crash records`);
    assert.deepEqual(
      readdirSync(folder).filter((name) => /tmp|new$|next$|damaged/.test(name)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
