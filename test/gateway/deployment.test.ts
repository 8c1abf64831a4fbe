import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { processesInside } from "../../src/demo/index.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { ends, socketsOf, traces } from "../support/traces.ts";
import { testApprove } from "./approve.ts";

/**
 * One deployment of two bots with the real OpenClaw, gone through like a day with it: each test
 * leaves it running for the next one.
 */
describe("a deployment of two bots", () => {
  let deployment: Deployment;
  let ports: { readonly a: number; readonly b: number };

  const pidOf = async (name: string): Promise<number> => {
    const bot = (await deployment.status()).bots.find((each) => each.name === name);
    assert.ok(bot?.pid !== undefined, `${name} has no process`);
    return bot.pid;
  };

  before(async () => {
    deployment = await Deployment.make();
    ports = { a: await freePort(), b: await freePort() };
    deployment.declare(twoBots());
    await deployment.ok(["up"]);
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  function twoBots(moreForB: object = {}, telegram: object = {}): object {
    const { grants, ...a } = deployment.bot({ port: ports.a, telegram: true });
    return {
      a: {
        ...a,
        grants: { ...grants, telegram: { ...grants["telegram"], ...telegram } },
        exec: { allow: ["ls", "cat"] },
        limits: { openFiles: 8192 },
      },
      b: deployment.bot({ port: ports.b, more: moreForB }),
    };
  }

  test("seawall status shows both ready and every mechanism of the wall enforced", async () => {
    const status = await deployment.status();
    assert.deepEqual(
      status.bots.map(({ name, state }) => [name, state]),
      [
        ["a", "ready"],
        ["b", "ready"],
      ],
    );
    for (const { wall } of status.bots) {
      assert.ok(wall.length >= 5);
      for (const { mechanism, state } of wall) assert.equal(state, "enforced", mechanism);
    }
    // By what the host has for it; open files always by the same.
    const limits = status.bots.map(({ wall }) => wall.find((each) => each.mechanism === "limits"));
    for (const each of limits) assert.match(each?.detail ?? "", /\bopen files by rlimit\b/);
    assert.equal((await deployment.run(["status"])).code, 0);
  });

  test("a message gets its answer, and the real token and key reach only their services", async () => {
    assert.match(await deployment.converse("Which word comes after pebble?"), /seawall/);
    const { anthropic, telegram } = deployment.standIns;
    assert.ok(telegram.calls.length > 0 && telegram.calls.every(({ accepted }) => accepted));
    assert.ok(anthropic.calls.length > 0);
  });

  test("bots have users, phantoms and namespaces of their own", async () => {
    const [a, b] = [await pidOf("a"), await pidOf("b")];
    for (const kind of ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]) {
      const of = (pid: number | "self"): string => readlinkSync(`/proc/${pid}/ns/${kind}`);
      assert.equal(new Set([of(a), of(b), of("self")]).size, 3, kind);
    }
    const phantom = (pid: number): string | undefined =>
      /ANTHROPIC_API_KEY=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
    assert.match(phantom(a) ?? "", /^sk-ant-api03-[\w-]{93}AA$/);
    assert.notEqual(phantom(a), phantom(b));
    assert.ok(![phantom(a), phantom(b)].includes(deployment.canaries.anthropic));
    if (process.getuid?.() === 0) {
      const uid = (pid: number): string =>
        /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
      assert.equal(new Set([uid(a), uid(b), "0"]).size, 3);
    }
  });

  test("bot a can't see that there is a bot b", async (t) => {
    const pid = await pidOf("a");
    const inside = await insideNamespaces(pid);
    if (inside === undefined) return t.skip("needs nsenter and root, to look from inside");
    const seen = await inside(`
      const fs = require("node:fs");
      const walk = (folder, depth) => depth === 0 ? [] : fs.readdirSync(folder, { withFileTypes: true }).flatMap((e) =>
        e.isDirectory() ? [folder + "/" + e.name, ...walk(folder + "/" + e.name, depth - 1)] : [folder + "/" + e.name]);
      const pids = fs.readdirSync("/proc").filter((n) => /^\\d+$/.test(n));
      console.log(JSON.stringify({
        files: ["/home", "/etc", "/run", "/tmp", "/opt"].flatMap((f) => walk(f, 3)),
        commands: fs.readdirSync("/usr/bin"),
        processes: pids.flatMap((p) => { try { return [fs.readFileSync("/proc/" + p + "/cmdline", "utf8")]; } catch { return []; } }),
        mounts: fs.readFileSync("/proc/self/mountinfo", "utf8"),
        sockets: fs.readFileSync("/proc/net/unix", "utf8").split("\\n").length,
        environment: fs.readFileSync("/proc/2/environ", "utf8"),
      }));
    `);
    const facts = JSON.parse(seen) as {
      commands: string[];
      processes: string[];
      mounts: string;
      environment: string;
      files: string[];
    };
    assert.deepEqual(facts.commands.toSorted(), ["cat", "ls", "sh"]);
    assert.ok(facts.processes.length < 12, facts.processes.join("\n"));
    const all = JSON.stringify({ ...facts, mounts: undefined });
    assert.ok(!all.includes(deployment.folder), "a path of the host shows");
    assert.ok(!all.includes(String(ports.b)));
  });

  test("inside, a name that isn't granted doesn't resolve and other addresses are refused at once", async (t) => {
    const inside = await insideNamespaces(await pidOf("a"));
    if (inside === undefined) return t.skip("needs nsenter and root, to look from inside");
    const answer = await inside(`
      const dns = require("node:dns").promises, net = require("node:net");
      const name = (n) => dns.lookup(n).then((a) => a.address, (e) => e.code);
      const dial = (host, port) => new Promise((done) => {
        const s = net.connect({ host, port });
        s.once("error", (e) => done(["ECONNRESET", "EPIPE"].includes(e.code) ? "closed" : e.code));
        s.once("connect", () => { s.write("GET / HTTP/1.1\\r\\n\\r\\n"); });
        s.once("data", (d) => done("data: " + d));
        s.once("close", () => done("closed"));
      });
      (async () => console.log(JSON.stringify({
        granted: await name("api.anthropic.com"),
        other: await name("example.org"),
        ssh: await dial("127.0.0.1", 22),
        metadata: await dial("169.254.169.254", 80),
        raw: await dial("9.9.9.9", 443),
        raw6: await dial("2620:fe::fe", 443),
        host: await dial("127.0.0.1", ${deployment.standIns.anthropic.port}),
      })))();
    `);
    assert.deepEqual(JSON.parse(answer), {
      granted: "11.14.74.127",
      other: "ENOTFOUND",
      ssh: "ECONNREFUSED",
      metadata: "ECONNREFUSED",
      raw: "closed",
      raw6: "closed",
      host: "ECONNREFUSED",
    });
    // The control: from outside, the stand-in is there.
    const outside = await fetch(`http://127.0.0.1:${deployment.standIns.anthropic.port}/`).catch(
      (error: Error) => error.message,
    );
    assert.notEqual(outside, "ECONNREFUSED");
  });

  test("the gateway answers on the host's 127.0.0.1 with its token, and not without", async () => {
    const base = `http://127.0.0.1:${ports.a}`;
    assert.equal((await fetch(`${base}/healthz`)).status, 200);
    assert.equal((await fetch(`${base}/v1/models`)).status, 401);
    const wrong = await fetch(`${base}/v1/models`, {
      headers: { authorization: `Bearer ${deployment.token("b")}` },
    });
    assert.equal(wrong.status, 401);
    const right = await fetch(`${base}/v1/models`, {
      headers: { authorization: `Bearer ${deployment.token("a")}` },
    });
    assert.notEqual(right.status, 401);
  });

  test("a WebSocket client is greeted by the gateway through the ingress", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.a}/`);
    const [data] = (await once(socket, "message")) as [Buffer];
    assert.match(data.toString(), /connect\.challenge/);
    socket.terminate();
  });

  test("a broker that is killed comes back with the same sockets, and the bot never notices", async () => {
    const before = await deployment.status();
    assert.ok(before.broker.pid !== undefined);
    process.kill(before.broker.pid, "SIGKILL");
    const later = await deployment.until(
      ({ broker }) => broker.state === "ready" && broker.restarts === 1,
      "a new broker",
    );
    assert.notEqual(later.broker.pid, before.broker.pid);
    assert.deepEqual(
      later.bots.map(({ pid }) => pid),
      before.bots.map(({ pid }) => pid),
    );
    assert.match(await deployment.converse("Which word comes after pebble?"), /seawall/);
  });

  test("a bot that crashes is started again, and answers", async () => {
    const pid = await pidOf("a");
    process.kill(pid, "SIGKILL");
    await deployment.until(
      ({ bots }) =>
        bots.some((bot) => bot.name === "a" && bot.restarts === 1 && bot.state === "ready"),
      "a new gateway",
    );
    assert.ok(!existsSync(`/proc/${pid}`));
    assert.match(await deployment.converse("Which word comes after pebble?"), /seawall/);
  });

  describe("seawall approve", () => {
    testApprove(
      () => deployment,
      (grant, beside) => deployment.declare(twoBots({}, grant), beside),
    );
  });

  test("seawall up again restarts only the bot that the declaration changes", async () => {
    const before = await deployment.status();
    deployment.declare(twoBots({ settings: { messages: { ackReaction: "eyes" } } }));
    const { code, stderr } = await deployment.run(["up"]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /about the configuration of a/, "OpenClaw has taken it before");
    const later = await deployment.status();
    assert.equal(later.generation, before.generation + 1);
    assert.equal(later.bots[0]?.pid, before.bots[0]?.pid);
    assert.notEqual(later.bots[1]?.pid, before.bots[1]?.pid);
  });

  for (const [what, change, code, message] of [
    [
      "a secret that isn't in the vault",
      { grants: { telegram: { secret: "nowhere" } } },
      3,
      /no store declares/,
    ],
    ["a setting that loosens the wall", { settings: { gateway: { bind: "lan" } } }, 3, /gateway/],
    [
      "a setting OpenClaw doesn't know",
      { settings: { messages: { nonsense: true } } },
      3,
      /messages/,
    ],
    ["a command that isn't there", { exec: { allow: ["no-such-command"] } }, 3, /not on this host/],
    ["a version that doesn't exist", { openclaw: "2026.1.99" }, 3, /not pinned/],
    [
      "a CA file that isn't one",
      { grants: { anthropic: { secret: "anthropic", dial: { ca: "seawall.json5" } } } },
      3,
      /certificates/,
    ],
  ] as const) {
    test(`seawall up refuses ${what}, and everything runs on as it was`, async () => {
      const before = await deployment.status();
      deployment.declare(twoBots(change));
      const { code: exit, stderr } = await deployment.run(["up"]);
      assert.equal(exit, code, stderr);
      assert.match(stderr, message);
      assert.match(stderr, /^ {2}hint: /m);
      const later = await deployment.status();
      assert.equal(later.generation, before.generation);
      assert.deepEqual(
        later.bots.map(({ pid }) => pid),
        before.bots.map(({ pid }) => pid),
      );
    });
  }

  test("seawall up with a secret missing from the vault goes back to what ran", async () => {
    const before = await deployment.status();
    deployment.declare(twoBots({ grants: { anthropic: { secret: "gone" } } }), {
      secrets: {
        anthropic: { vault: "anthropic" },
        telegram: { vault: "telegram" },
        gone: { vault: "gone" },
      },
    });
    const { code, stderr } = await deployment.run(["up"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /"gone"/);
    const later = await deployment.status();
    assert.equal(later.generation, before.generation);
    assert.equal(later.bots[0]?.pid, before.bots[0]?.pid);
    assert.ok(later.bots.every(({ state }) => state === "ready"));
  });

  test("seawall logs shows what bots wrote, without control characters", async () => {
    const logs = await deployment.ok(["logs", "-n", "20"]);
    assert.match(logs, /^a {0,3}\| /m);
    assert.match(logs, /^b {0,3}\| /m);
    // oxlint-disable-next-line no-control-regex -- that is what must not be there
    assert.ok(!/[\u0000-\u0009\u000b-\u001f]/.test(logs));
    assert.doesNotMatch(await deployment.ok(["logs", "-n", "5000"]), /tools policy:/);
  });

  test("seawall restart restarts one bot", async () => {
    const before = await deployment.status();
    await deployment.ok(["restart", "b"]);
    const later = await deployment.status();
    assert.equal(later.bots[0]?.pid, before.bots[0]?.pid);
    assert.notEqual(later.bots[1]?.pid, before.bots[1]?.pid);
    const { code, stderr } = await deployment.run(["restart", "nobody"]);
    assert.equal(code, 2);
    assert.match(stderr, /no bot "nobody" is running\n {2}hint: running: a, b/);
  });

  test("each call left one whole record, and no real value is in any file of the deployment", () => {
    const lines = readFileSync(join(deployment.state, "audit", "audit.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    const records = lines.map(
      (line) => JSON.parse(line) as { id: string; bot: string; decision: string; grant?: string },
    );
    assert.equal(new Set(records.map(({ id }) => id)).size, records.length);
    assert.ok(records.some(({ grant, decision }) => grant === "anthropic" && decision === "allow"));
    const canaries = Object.values(deployment.canaries);
    for (const entry of globSync("**/*", { cwd: deployment.state, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const text = readFileSync(path, "latin1");
      for (const canary of canaries) assert.ok(!text.includes(canary), path);
    }
  });

  test("neither bots nor the supervisor nor anyone's arguments hold a real value", async () => {
    const { pid, bots } = await deployment.status();
    const canaries = Object.values(deployment.canaries);
    const inside = bots.flatMap((bot) => (bot.pid === undefined ? [] : processesInside(bot.pid)));
    for (const each of [pid, ...inside]) {
      for (const file of ["cmdline", "environ"]) {
        const text = readFileSync(`/proc/${each}/${file}`, "latin1");
        for (const canary of canaries) assert.ok(!text.includes(canary), `${file} of ${each}`);
      }
    }
  });

  test("kill -9 of the supervisor leaves no process, socket or mount", async () => {
    const { pid, broker, bots } = await deployment.status();
    const all = [
      pid,
      broker.pid ?? 0,
      ...bots.flatMap((bot) => (bot.pid === undefined ? [] : processesInside(bot.pid))),
    ];
    const sockets = socketsOf(pid);
    process.kill(pid, "SIGKILL");
    for (const each of all) await ends(each);
    assert.deepEqual(traces(deployment.folder, sockets), []);
    const { code, stderr } = await deployment.run(["status"]);
    assert.equal(code, 1);
    assert.match(stderr, /nothing is running/);
  });
});

/** Runs a script by the bot's own Node in its namespaces, as its user, but outside of Landlock. */
async function insideNamespaces(
  pid: number,
): Promise<((script: string) => Promise<string>) | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const enter = ["-t", String(pid), "-U", "-n", "-m", "-p", "-S", "1000", "-G", "1000"];
  const run = async (script: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      "nsenter",
      [...enter, "/opt/node/bin/node", "-e", script],
      { env: {} },
    );
    return stdout;
  };
  return run("0").then(
    () => run,
    () => undefined,
  );
}
