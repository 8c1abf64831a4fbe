import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compileNeedles } from "../../src/demo/compileNeedles.ts";
import { Search } from "../../src/demo/Search.ts";
import { searchMemory } from "../../src/demo/searchMemory.ts";
import { CONTAINER_RULES } from "../../src/wall/testing/containerRules.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { assertFailed, assertNothingStarted } from "../support/failures.ts";
import { refusesEverywhere } from "../support/refusesEverywhere.ts";
import { runSeawall, type RunOptions } from "../support/runSeawall.ts";
import { declareOneBot } from "../support/simpleDeclaration.ts";
import { testStore } from "../support/testStore.ts";
import { underRules } from "../support/underRules.ts";
import { withoutLandlock } from "../support/withoutLandlock.ts";

/** What a host lacks and a declaration concedes: the real OpenClaw runs with what is left. */

test("no Landlock: refused, unless the declaration concedes it; status then shows it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-hosts-"));
  chmodSync(folder, 0o711);
  t.after(async () => {
    await runSeawall(["down"], { state, cwd: folder });
    rmSync(folder, { recursive: true, force: true });
  });
  const state = join(folder, "state");
  const options: RunOptions = {
    state,
    cwd: folder,
    env: { SEAWALL_STORE: testStore() },
    through: withoutLandlock(folder),
  };
  const port = await freePort();
  declareOneBot(folder, port);
  const input = "sk-ant-api03-not-a-real-one";
  assert.equal((await runSeawall(["secret", "set", "anthropic"], { ...options, input })).code, 0);
  await refusesEverywhere(
    { options, state },
    /this kernel has no Landlock\n {2}hint: .*lsm=.*"no-landlock"/,
  );

  declareOneBot(folder, port, { concessions: ["no-landlock"] });
  const check = await runSeawall(["check"], options);
  assert.equal(check.code, 0, check.stderr);
  assert.match((await runSeawall(["plan"], options)).stdout, /concession: no-landlock/);
  const up = await runSeawall(["up"], options);
  assert.equal(up.code, 0, up.stderr);
  const { stdout } = await runSeawall(["status"], options);
  assert.match(stdout, /wall: WEAKER than planned\n {4}landlock: missing, /);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.equal((await runSeawall(["down"], options)).code, 0);
});

test("no user namespaces: OpenClaw runs where that is conceded, goes by the proxy, and hasn't got the keys", async (t) => {
  await using host = await Deployment.make((folder) => underRules(folder, CONTAINER_RULES));
  const port = await freePort();
  const declare = (more: object, grants: object = {}): void => {
    const bot = host.bot({ port, telegram: true, more: { exec: { allow: ["ls"] }, ...more } });
    host.declare({ basecamp: { ...bot, grants: { ...bot.grants, ...grants } } });
  };
  const concessions = ["no-user-namespaces"];
  declare({});
  for (const verb of ["check", "up"])
    assertFailed(
      await host.run([verb]),
      4,
      /no user namespaces: .*\n {2}hint: .*"concessions": \["no-user-namespaces"\] in bot "basecamp"/,
    );
  declare({ concessions }, { "imap.example.com": { tcp: 993 } });
  assertFailed(
    await host.run(["up"]),
    4,
    /can't have on this host, without user namespaces: grant "imap\.example\.com"/,
  );
  const doctor = await host.run(["doctor"]);
  assert.match(doctor.stdout, /concession +partly +with "concessions": \["no-user-namespaces"\]/);
  await assertNothingStarted(host.state);

  declare({ concessions });
  assert.match(await host.ok(["plan"]), /concession: no-user-namespaces/);
  await host.ok(["up"]);
  const uid = process.getuid?.() === 0 ? 1_879_100_000 : undefined;
  t.after(() => {
    // OpenClaw's own place, by uid; another user's may be in use.
    if (uid !== undefined) rmSync(`/tmp/openclaw-state-locks-${uid}`, { recursive: true });
  });
  assert.match(
    await host.ok(["status"]),
    /wall: WEAKER than planned\n {4}namespaces: missing, conceded/,
  );
  assert.match(await host.converse("hello"), /hello/);

  const [bot] = (await host.status()).bots;
  const leader = bot?.pid ?? 0;
  const pids = groupOf(leader);
  assert.ok(pids.length > 1, "OpenClaw starts processes of its own");
  const status = readFileSync(`/proc/${leader}/status`, "utf8");
  for (const line of [/^CapEff:\s*0+$/m, /^NoNewPrivs:\s*1$/m, /^Seccomp:\s*2$/m])
    assert.match(status, line);
  if (uid !== undefined) assert.match(status, new RegExp(`^Uid:\\s*${uid}\\s*${uid}`, "m"));
  const environment = readFileSync(`/proc/${leader}/environ`, "utf8").split("\0");
  const phantom =
    environment.find((line) => line.startsWith("ANTHROPIC_API_KEY="))?.slice(18) ?? "";
  const search = new Search(
    compileNeedles([
      { name: "phantom", value: phantom },
      ...Object.entries(host.canaries).map(([name, value]) => ({ name, value })),
    ]),
  );
  for (const pid of pids)
    search.searchBytes(readFileSync(`/proc/${pid}/environ`), () => `environment of pid ${pid}`);
  assert.ok((await searchMemory(search, leader, "OpenClaw")) > 100e6);
  // The phantom is what the same search finds there.
  assert.deepEqual([...new Set(search.found.map(({ name }) => name))], ["phantom"]);

  const proxy = new URL(
    environment.find((line) => line.startsWith("HTTPS_PROXY="))?.slice(12) ?? "",
  );
  const [refused] = (await once(
    get({ port: proxy.port, host: "127.0.0.1", path: "http://api.anthropic.com/" }),
    "response",
  )) as [IncomingMessage];
  refused.resume();
  assert.equal(refused.statusCode, 407, "anybody on this host gets to the port");
  await host.ok(["up"]);
  assert.equal((await host.status()).bots[0]?.pid, leader, "nothing changed, so it runs on");
  assertFailed(await host.run(["prove"]), 4, /can't be attacked on this host/);
  await host.ok(["down"]);
  assert.deepEqual(groupOf(leader), []);
});

/** All processes of a group, by pid; ended ones that nobody has waited for aren't any more. */
function groupOf(leader: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(group) === leader && state !== "Z" && state !== "X" ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}
