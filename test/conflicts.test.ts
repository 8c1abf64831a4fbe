import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { SupervisorStatus } from "../src/host/index.ts";
import { assertFailed, assertNothingStarted, halfFiles, snapshot } from "./support/failures.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import { declareNoBots, declareOneBot } from "./support/simpleDeclaration.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

/** Two that want the same: a port, a deployment. */

interface Place {
  readonly folder: string;
  readonly state: string;
  readonly run: (args: readonly string[], input?: string) => Promise<Ran>;
}

function place(t: TestContext): Place {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    runSeawall(args, {
      state,
      cwd: folder,
      env: { SEAWALL_STORE: testStore() },
      ...(input === undefined ? {} : { input }),
    });
  return { folder, state, run };
}

async function statusOf({ run }: Place): Promise<SupervisorStatus> {
  const { stdout } = await run(["status", "--json"]);
  return JSON.parse(stdout) as SupervisorStatus;
}

test("a gateway port that somebody else has: up names it, and what ran runs on", async (t) => {
  const made = place(t);
  const { folder, state, run } = made;
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    assert.equal((await run(["secret", "set", "anthropic"], "sk-ant-api03-nothing")).code, 0);
    const wanted = new RegExp(`127\\.0\\.0\\.1:${port}\\n {2}hint: choose another port`);
    declareOneBot(folder, port);
    assertFailed(await run(["up"]), 5, wanted);
    await assertNothingStarted(state);

    declareNoBots(folder);
    assert.equal((await run(["up"])).code, 0);
    const before = await statusOf(made);
    const files = snapshot(join(state, "generations"));
    declareOneBot(folder, port);
    assertFailed(await run(["up"]), 5, wanted);
    const later = await statusOf(made);
    assert.deepEqual([later.pid, later.generation, later.bots], [before.pid, 1, []]);
    assert.deepEqual(snapshot(join(state, "generations")), files);
  } finally {
    taken.close();
    await run(["down"]);
  }
});

test("seawall up while another one is at work says so, and harms neither", async (t) => {
  const made = place(t);
  const { folder, state, run } = made;
  declareNoBots(folder);
  try {
    assert.equal((await run(["up"])).code, 0);
    const { pid } = await statusOf(made);
    // Stopped, the supervisor keeps the first one waiting for as long as the second one takes.
    process.kill(pid, "SIGSTOP");
    try {
      const first = run(["up", declareNoBots(folder, "another.json5")]);
      const written = join(state, "generations", "2", "generation.json");
      // A minute at most: it takes two seconds on a quiet machine.
      for (let tries = 0; tries < 3_000 && !existsSync(written); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertFailed(await run(["up"]), 1, /another seawall up is at work here\n {2}hint: wait/);
      process.kill(pid, "SIGCONT");
      const { code, stderr } = await first;
      assert.equal(code, 0, stderr);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    assert.equal((await statusOf(made)).generation, 2);
    assert.deepEqual(readdirSync(join(state, "generations")).toSorted(), ["1", "2"]);
  } finally {
    await run(["down"]);
  }
});

test("several seawall up at the same moment on nothing: each works or says that another does", async (t) => {
  const made = place(t);
  const { folder, state, run } = made;
  declareNoBots(folder);
  try {
    const all = await Promise.all([run(["up"]), run(["up"]), run(["up"])]);
    const worked = all.filter(({ code }) => code === 0).length;
    assert.ok(worked >= 1);
    for (const ran of all)
      if (ran.code !== 0) assertFailed(ran, 1, /another seawall up is at work here/);
    assert.equal((await statusOf(made)).generation, 1);
    assert.equal(readFileSync(join(state, "current"), "utf8"), "1\n");
    assert.deepEqual(readdirSync(join(state, "generations")), ["1"]);
    assert.deepEqual(halfFiles(state), []);
  } finally {
    await run(["down"]);
  }
});

test("seawall check on settings that OpenClaw refuses names the place in the file", async (t) => {
  const { folder, state, run } = place(t);
  declareOneBot(folder, 18_789, { settings: { messages: { nonsense: true } } });
  const ran = await run(["check"]);
  assertFailed(ran, 3, /OpenClaw 2026\.9\.6 refuses messages.*\n {2}at \S*seawall\.json5:\d+:\d+ /);
  const [, line, column] = /seawall\.json5:(\d+):(\d+) \(bots\.a\.settings/.exec(ran.stderr) ?? [];
  const text = readFileSync(join(folder, "seawall.json5"), "utf8").split("\n");
  assert.match((text[Number(line) - 1] ?? "").slice(Number(column) - 1), /^"(messages|nonsense)"/);
  assert.ok(!existsSync(state), "check wrote into the state folder");
});
