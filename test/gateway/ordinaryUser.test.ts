import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { DemoReport } from "../../src/demo/index.ts";
import type { SupervisorStatus } from "../../src/host/index.ts";
import { ensureNode, ensureOpenClaw, readPin } from "../../src/openclaw/index.ts";
import { assertFailed, assertNothingRuns, snapshot } from "../support/failures.ts";
import { asUser, lacksOther, lacksUser, USER } from "../support/ordinaryUser.ts";
import { runSeawall, type Ran } from "../support/runSeawall.ts";
import { declareNoBots } from "../support/simpleDeclaration.ts";
import { testStore } from "../support/testStore.ts";

describe("seawall as an ordinary user", { skip: lacksUser() }, () => {
  let folder: string;
  let state: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-user-"));
    chownSync(folder, USER, USER);
    state = join(folder, "state");
  });
  after(async () => {
    await run(["down"]);
    rmSync(folder, { recursive: true, force: true });
  });

  function run(
    args: readonly string[],
    env: Record<string, string> = {},
    input = "",
  ): Promise<Ran> {
    return runSeawall(args, {
      state,
      cwd: folder,
      input,
      env: { HOME: folder, SEAWALL_STORE: join(folder, "store"), ...env },
      through: asUser,
    });
  }

  /** A store of that user's own, as it would be after the first `up`, but without the stamp. */
  async function copyStore(): Promise<void> {
    const store = join(folder, "store");
    mkdirSync(store);
    const { root } = await ensureOpenClaw(readPin("2026.9.6"), testStore());
    const node = await ensureNode(process.execPath, testStore());
    for (const tree of [root, node.root]) execFileSync("cp", ["-r", tree, store]);
    execFileSync("chown", ["-R", `${USER}:${USER}`, store]);
  }

  test(
    "a state folder of somebody else is refused in words, by every command",
    { skip: lacksOther },
    async () => {
      const other = mkdtempSync(join(tmpdir(), "seawall-other-"));
      chmodSync(other, 0o711);
      const theirs = join(other, "state");
      const asRoot = { state: theirs, cwd: other, env: { SEAWALL_STORE: testStore() } };
      declareNoBots(other);
      declareNoBots(folder);
      try {
        await runSeawall(["secret", "set", "one"], { ...asRoot, input: "value-of-one" });
        const up = await runSeawall(["up"], asRoot);
        assert.equal(up.code, 0, up.stderr);
        const files = snapshot(theirs);
        for (const args of [
          ["up"],
          ["status"],
          ["down"],
          ["restart"],
          ["logs"],
          ["secret", "list"],
          ["secret", "set", "two"],
        ]) {
          const env = { SEAWALL_STATE: theirs, SEAWALL_STORE: testStore() };
          const ran = await run(args, env, "value-of-two");
          assertFailed(ran, 5, /permission is denied|belongs to/);
        }
        assert.deepEqual(snapshot(theirs), files);
        assert.equal((await runSeawall(["status"], asRoot)).code, 0);
      } finally {
        await runSeawall(["down"], asRoot);
        rmSync(other, { recursive: true, force: true });
      }
    },
  );

  test(
    "a folder that can't be written is refused in words, and stays as it is",
    { skip: lacksOther },
    async () => {
      const closed = join(folder, "closed");
      mkdirSync(closed, { mode: 0o755 });
      const env = { SEAWALL_STATE: join(closed, "state"), SEAWALL_STORE: testStore() };
      assertFailed(await run(["up"], env), 5, /permission is denied/);
      assertFailed(await run(["secret", "set", "one"], env, "value"), 5, /permission is denied/);
      assert.deepEqual(snapshot(closed), {});
      const store = { SEAWALL_STORE: join(closed, "store") };
      assertFailed(await run(["up"], store), 5, /store can't be used/);
    },
  );

  test("up, status and down work without root", async () => {
    await copyStore();
    declareNoBots(folder);
    const up = await run(["up"]);
    assert.equal(up.code, 0, up.stderr);
    const status = JSON.parse((await run(["status", "--json"])).stdout) as SupervisorStatus;
    assert.deepEqual([status.generation, status.broker.state], [1, "ready"]);
    assert.equal((await run(["down"])).code, 0);
    await assertNothingRuns(state);
  });

  test(
    "seawall secret scan finds and redacts what that user may read, and says what it may not",
    { skip: lacksOther },
    async () => {
      const key = "sk-value-that-was-left-in-a-note";
      assert.equal((await run(["secret", "set", "left"], {}, key)).code, 0);
      const notes = join(folder, "notes");
      mkdirSync(notes);
      const note = join(notes, "today.md");
      writeFileSync(note, `remember ${key}\n`);
      chownSync(notes, USER, USER);
      chownSync(note, USER, USER);
      const closed = join(notes, "closed.md");
      writeFileSync(closed, key, { mode: 0o600 });
      const found = await run(["secret", "scan", notes]);
      assert.equal(found.code, 1, found.stderr);
      assert.match(found.stdout, /today\.md:1: the value of "left" \(plain\)/);
      assert.match(found.stdout + found.stderr, /not searched.*closed\.md/);
      assert.ok(!(found.stdout + found.stderr).includes(key));
      assert.equal((await run(["secret", "scan", notes, "--redact", "--yes"])).code, 0);
      assert.match(readFileSync(note, "utf8"), /^remember \[redacted\]\**\n$/);
      assert.equal(readFileSync(closed, "utf8"), key);
      rmSync(closed);
      assert.equal((await run(["secret", "scan", notes])).code, 0);
    },
  );

  test("seawall demo: the bot answers behind every layer of the wall, and the search that finds its phantom finds nothing real", async () => {
    const before = globSync("seawall-demo-*", { cwd: tmpdir() });
    const { code, stdout, stderr } = await run(["demo", "--json"]);
    assert.equal(code, 0, stdout + stderr);
    const report = JSON.parse(stdout) as DemoReport;
    assert.deepEqual([report.ok, report.found, report.unread], [true, [], []]);
    // Its environment, its memory and those of its helpers.
    assert.ok(report.phantomIn >= 3, stdout);
    assert.match(report.reply, /seawall/);
    assert.equal(report.openclaw, "2026.9.6");
    assert.ok(report.searched.processes >= 3);
    assert.ok(report.searched.environments >= 3);
    assert.ok(report.searched.bytesOfMemory > 200e6);
    assert.ok(report.searched.files > 10_000);
    for (const [mechanism, how] of Object.entries(report.wall)) {
      // Where this user gets no control group, memory is limited for each process.
      if (mechanism !== "limits" || how !== "partly") assert.equal(how, "enforced", mechanism);
    }
    assert.deepEqual(globSync("seawall-demo-*", { cwd: tmpdir() }), before);
  });
});
