import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { botPlan } from "../../openclaw/testing/testBot.ts";
import { agentWarnings } from "../agentWarnings.ts";
import { AgentRounds, ROUND_MS } from "./AgentRounds.ts";

function generation(agents: boolean, folder: string) {
  const { openclaw } = botPlan({});
  const bot = botPlan({ name: "basecamp", openclaw: agents ? { ...openclaw, agents } : openclaw });
  const plan = { version: 1, secrets: [], bots: [bot] } as const;
  return { plan, declaration: join(folder, "seawall.json5") };
}

/** Waits in real time, since a process is waited for. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !done(); i++) {
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  assert.ok(done());
}

test("AgentRounds has agents synchronized every 15 minutes, one round after the other, while there are some", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const folder = temporaryFolder(t);
  const out = join(folder, "rounds");
  const program = join(folder, "sync.sh");
  writeFileSync(
    program,
    `echo "$@" >> ${out}; until [ -e ${folder}/go ]; do sleep 0.02; done; echo "error: no luck" >&2; exit 5\n`,
  );
  const notes: string[] = [];
  const rounds = new AgentRounds((text) => notes.push(text), ["/bin/sh", program]);
  const lines = () => (existsSync(out) ? readFileSync(out, "utf8").trim().split("\n") : []);

  await rounds.use(generation(false, folder));
  t.mock.timers.tick(ROUND_MS);
  await rounds.use(generation(true, folder));
  assert.deepEqual(lines(), []);
  t.mock.timers.tick(ROUND_MS);
  await until(() => lines().length === 1);
  // Control of what follows: it is still at work.
  t.mock.timers.tick(ROUND_MS);
  writeFileSync(join(folder, "go"), "");
  await until(() => notes.length === 1);
  assert.deepEqual(lines(), [`--file ${folder}/seawall.json5`]);
  assert.deepEqual(notes, ["agents not synchronized: no luck"]);
  t.mock.timers.tick(ROUND_MS);
  await until(() => notes.length === 2);
  assert.equal(lines().length, 2);
  await rounds.use(undefined);
  t.mock.timers.tick(ROUND_MS);
  assert.equal(lines().length, 2);
});

test("AgentRounds ends a round that is at work when everything ends", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const folder = temporaryFolder(t);
  const pid = join(folder, "pid");
  const program = join(folder, "sync.sh");
  writeFileSync(program, `echo $$ > ${pid}.new; mv ${pid}.new ${pid}; exec sleep 600\n`);
  const rounds = new AgentRounds(() => undefined, ["/bin/sh", program]);
  await rounds.use(generation(true, folder));
  t.mock.timers.tick(ROUND_MS);
  await until(() => existsSync(pid));
  await rounds.use(undefined);
  assert.throws(() => process.kill(Number(readFileSync(pid, "utf8")), 0), { code: "ESRCH" });
});

test("agentWarnings() says what a person has to look at, and nothing of what went well", (t) => {
  const folder = temporaryFolder(t);
  const { plan } = generation(true, folder);
  assert.deepEqual(agentWarnings(folder, plan), []);
  const states = {
    well: { at: "x", report: { commits: ["a"], held: [] } },
    down: { at: "x", report: { failed: "the repository doesn't answer", held: [] } },
    differs: { at: "x", report: { conflict: "seawall/differs-1", held: [] } },
    holds: { at: "x", report: { held: [{ path: "key.pem", why: "its name" }] } },
  };
  const place = join(folder, "agents/basecamp");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "sync.json"), JSON.stringify(states));
  const said = agentWarnings(folder, plan);
  assert.deepEqual(
    said.map(({ key }) => key),
    ["agent:basecamp:down", "agent:basecamp:differs", "agent:basecamp:holds"],
  );
  assert.match(said[0]?.warning ?? "", /doesn't answer/);
  assert.match(said[1]?.warning ?? "", /seawall\/differs-1/);
  assert.match(said[2]?.warning ?? "", /^1 file of agent holds/);
  writeFileSync(join(place, "sync.json"), "{");
  assert.deepEqual(agentWarnings(folder, plan), []);
  assert.deepEqual(agentWarnings(folder, generation(false, folder).plan), []);
});
