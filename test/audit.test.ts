import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setImmediate as written } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { Audit } from "../src/broker/audit/Audit.ts";
import { makeSigningKey, publicKeyOf } from "../src/record/index.ts";
import { runSeawall } from "./support/runSeawall.ts";
import { declareNoBots } from "./support/simpleDeclaration.ts";
import { NO_SMALL_DISK, SmallDisk } from "./support/SmallDisk.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

/** The record as its owner sees it, written by the broker's own code. */

interface Place {
  readonly state: string;
  readonly file: string;
  readonly key: string;
  readonly audit: Audit;
}

function place(t: TestContext, rotateBytes = 1_000_000): Place {
  const state = temporaryFolder(t);
  const key = makeSigningKey();
  mkdirSync(join(state, "audit"), { mode: 0o700 });
  writeFileSync(join(state, "audit.key"), key, { mode: 0o600 });
  const file = join(state, "audit", "audit.jsonl");
  const audit = new Audit(file, (text) => text, { signingKey: key, rotateBytes });
  return { state, file, key, audit };
}

function call(audit: Audit, path: string, bot = "basecamp"): void {
  audit
    .begin({
      bot,
      kind: "call",
      grant: "model",
      host: "api.model.test:443",
      method: "POST",
      path,
      rule: "POST /**",
    })
    ?.end({ outcome: "done", status: 200, bytesOut: 10, bytesIn: 20, tokensOut: 3 });
}

test("seawall audit tail, query and export show what the broker recorded, in words and as JSON", async (t) => {
  const { state, audit } = place(t, 3000);
  for (let count = 0; count < 30; count += 1) {
    call(audit, `/v1/${count}`, count % 2 === 0 ? "basecamp" : "other");
    await written();
  }
  audit.record(
    { bot: "basecamp", kind: "call", host: "api.model.test:443", path: "=cmd|evil" },
    { outcome: "refused", code: "not-allowed", status: 403 },
  );
  audit.close();
  await audit.compressed();
  const run = (...args: string[]): ReturnType<typeof runSeawall> =>
    runSeawall(["audit", ...args], { state });

  const tail = await run("tail", "-n", "2");
  assert.match(
    tail.stdout,
    /^\S+ \S+Z {2}other {7}done {2}POST {2}api\.model\.test:443\/v1\/29 {2}\(model\) {2}200, 10 B out, 20 B in, 0\+3 tokens, .*\n.*refused: not-allowed.*\n$/,
  );
  const long = await run("tail", "-n", "25", "--bot", "other", "--json");
  assert.equal(long.stdout.trim().split("\n").length, 15, "across files");

  const query = await run("query", "--bot", "other", "--limit", "3", "--json");
  const { records, intact } = JSON.parse(query.stdout) as {
    records: { path: string }[];
    intact: boolean;
  };
  assert.deepEqual(
    records.map(({ path }) => path),
    ["/v1/25", "/v1/27", "/v1/29"],
  );
  assert.ok(intact);
  const counted = await run("query", "--count-by", "bot", "--sum", "tokensOut");
  assert.equal(
    counted.stdout,
    "bot       calls  tokensOut\nbasecamp     16         45\nother        15         45\n",
  );
  const none = await run(
    "query",
    "--since",
    "2020-01-01",
    "--until",
    "2021-01-01",
    "--sum",
    "bytesIn",
  );
  assert.equal(none.stdout, "calls  bytesIn\n    0        0\n");
  assert.equal(statSync(join(state, "audit.index.sqlite")).mode & 0o777, 0o600);

  const jsonl = await run("export");
  const text = jsonl.stdout.trim().split("\n");
  assert.equal(text.filter((line) => line.includes('"id":')).length, 31);
  const csv = await run("export", "--format", "csv");
  const rows = csv.stdout.trim().split("\r\n");
  assert.equal(rows.length, 32);
  assert.match(rows.at(-1) ?? "", /,'=cmd\|evil,/);
});

test("seawall audit verify: 0 and its key for a whole record, 1 for one that was changed", async (t) => {
  const { state, file, key, audit } = place(t);
  for (let count = 0; count < 5; count += 1) call(audit, `/v1/${count}`);
  audit.close();
  const run = (...args: string[]): ReturnType<typeof runSeawall> =>
    runSeawall(["audit", "verify", ...args], { state });
  const whole = await run();
  assert.equal(whole.code, 0, whole.stdout);
  assert.match(whole.stdout, /^the record is whole\n {2}lines 1 to 6 in 1 file, 1 checkpoints\n/);
  assert.ok(whole.stdout.includes(publicKeyOf(key)));

  assert.equal((await run("--key", publicKeyOf(key))).code, 0);
  const foreign = await run("--key", publicKeyOf(makeSigningKey()));
  assert.equal(foreign.code, 1);
  assert.match(foreign.stdout, /^unknown-key: /);
  assert.equal((await run("--key", "nonsense")).code, 2);
  assert.equal((await run("--from", "nonsense.jsonl")).code, 1);

  const copy = join(state, "copy.head");
  writeFileSync(copy, readFileSync(join(state, "audit", "audit.head")));
  assert.equal((await run("--head", copy)).code, 0);

  const text = readFileSync(file, "latin1");
  writeFileSync(file, text.replace("/v1/2", "/v1/9"));
  const changed = await run();
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /^changed: audit\.jsonl:3: line 3 was changed/);
  const json = JSON.parse((await run("--json")).stdout) as { ok: boolean; found: number };
  assert.deepEqual([json.ok, json.found], [false, 1]);

  // Everything taken away, and begun anew: only the copy tells.
  for (const name of globSync("audit*", { cwd: join(state, "audit") }))
    rmSync(join(state, "audit", name));
  new Audit(file, (same) => same, { signingKey: key }).close();
  assert.equal((await run()).code, 0);
  assert.equal((await run("--head", copy)).code, 1);
});

test("seawall audit tail --follow goes on across a rotation", async (t) => {
  const { state, audit } = place(t, 2000);
  call(audit, "/v1/first");
  await written();
  const main = resolve(import.meta.dirname, "../src/cli/main.ts");
  const child = spawn(process.execPath, [main, "audit", "tail", "-f", "--json"], {
    env: { ...process.env, SEAWALL_STATE: state },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
  const until = async (what: string): Promise<void> => {
    while (!seen.includes(what)) await once(child.stdout, "data");
  };
  await until("/v1/first");
  for (let count = 0; count < 20; count += 1) {
    call(audit, `/v1/${count}.`);
    await written();
    await until(`/v1/${count}.`);
  }
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [0, null]);
  const ids = [...seen.matchAll(/"id":"([^"]+)"/g)].map((match) => match[1]);
  assert.equal(ids.length, 21);
  assert.equal(new Set(ids).size, 21);
  audit.close();
  await audit.compressed();
});

test("seawall audit without a record says so; a wrong call says how", async (t) => {
  const state = temporaryFolder(t);
  for (const verb of ["query", "verify"]) {
    const { code, stderr } = await runSeawall(["audit", verb], { state });
    assert.equal(code, 1, verb);
    assert.match(stderr, /^error: there is no record here yet/);
  }
  for (const args of [
    ["toString"],
    ["tail", "--key", "x"],
    ["query", "--since", "yesterday"],
    ["query", "--sum", "path"],
  ]) {
    const { code, stderr } = await runSeawall(["audit", ...args], { state });
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, /^error: .*\n {2}hint: /);
  }
});

test("seawall up makes the record's key, and the record that begins is whole and signed", async (t) => {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  const options = { state, cwd: folder, env: { SEAWALL_STORE: testStore() } };
  const file = declareNoBots(folder);
  const up = await runSeawall(["up", file], options);
  try {
    assert.equal(up.code, 0, up.stderr);
    assert.equal(statSync(join(state, "audit.key")).mode & 0o777, 0o600);
    const { code, stdout } = await runSeawall(["audit", "verify", "--json"], options);
    assert.equal(code, 0, stdout);
    assert.equal((JSON.parse(stdout) as { signed: boolean }).signed, true);
    const key = readFileSync(join(state, "audit.key"), "utf8").split("\n")[1] ?? "";
    for (const name of globSync("**/*", { cwd: state, withFileTypes: true })) {
      const path = join(name.parentPath, name.name);
      if (name.isFile() && name.name !== "audit.key")
        assert.ok(!readFileSync(path, "latin1").includes(key), path);
    }
  } finally {
    await runSeawall(["down"], options);
  }
});

test(
  "a full disk: no call begins, a rotation waits, and the record stays whole",
  { skip: NO_SMALL_DISK },
  async (t) => {
    const folder = temporaryFolder(t);
    const mount = join(folder, "disk");
    mkdirSync(mount);
    const disk = await SmallDisk.mount(mount, "size=200k");
    t.after(() => disk.unmount());
    const key = makeSigningKey();
    const file = join(disk.seen, "audit.jsonl");
    const audit = new Audit(file, (text) => text, { signingKey: key, rotateBytes: 20_000 });
    const begin = (): ReturnType<Audit["begin"]> =>
      audit.begin({ bot: "basecamp", kind: "call", path: "/x" });
    let ended = 0;
    // Until there is no room left, with nothing compressed meanwhile.
    for (let refused = 0; refused < 3;) {
      const open = begin();
      if (open === undefined) {
        refused += 1;
        audit.record(
          { bot: "basecamp", kind: "call" },
          { outcome: "refused", code: "audit-unwritable" },
        );
      } else {
        open.end({ outcome: "done" });
        ended += 1;
      }
      await written();
    }
    assert.ok(ended > 50);
    disk.resize("size=4m");
    while (begin() === undefined) await written();
    audit.endAll("stopped");
    audit.close();
    await audit.compressed();
    const { openReader } = await import("../src/record/index.ts");
    const { verifyRecord, openIndex, countRecords } = await openReader();
    const { findings } = await verifyRecord(file, { keys: [publicKeyOf(key)] });
    assert.deepEqual(findings, []);
    const { database } = await openIndex(file, join(folder, "index.sqlite"));
    const counted = countRecords(database, {}, "outcome", undefined);
    database.close();
    const calls = new Map(counted.map(({ key: outcome, calls }) => [outcome, calls]));
    assert.equal(calls.get("done"), ended);
    assert.equal(calls.get("stopped"), 1);
    assert.ok((calls.get("refused") ?? 0) >= 3);
    assert.ok(!existsSync(`${file}.next`));
  },
);
