import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ProveReport } from "../../src/prove/index.ts";
import { bootMachine, type Machine } from "../support/Machine.ts";
import { machineChromium } from "../support/machineChromium.ts";
import { BROKER, GATEWAY, ServiceMachine, SUPPORT } from "../support/ServiceMachine.ts";
import { filledStore } from "../support/testStore.ts";
import { testAsks } from "./systemd/asks.ts";
import { testBetweenBots } from "./systemd/betweenBots.ts";
import { testDescribed } from "./systemd/described.ts";
import { testPages } from "./systemd/pages.ts";
import { testPlugins } from "./systemd/plugins.ts";
import { testTailnet } from "./systemd/tailnet.ts";
import { attackServiceTools } from "./systemd/tools.ts";
import { testUpdates } from "./systemd/updates.ts";

const KEY = `sk-ant-api03-${randomBytes(70).toString("base64url").slice(0, 93)}AA`;

const booted = await bootMachine(filledStore, machineChromium());
after(async () => {
  if (typeof booted !== "string") await booted[Symbol.asyncDispose]();
});

describe("a machine run by systemd", { skip: typeof booted === "string" && booted }, () => {
  const machine = booted as Machine;
  const on = new ServiceMachine(machine);
  let untouched = "";

  before(async () => {
    const folder = join(machine.tree, "root");
    mkdirSync(folder, { recursive: true });
    const standIn = machine.start(["node", join(SUPPORT, "machineStandIn.ts"), "/root", KEY]);
    assert.ok(standIn.stdout !== null);
    await once(standIn.stdout, "data");
    const { port: given } = JSON.parse(readFileSync(join(folder, "stand-ins.json"), "utf8")) as {
      port: number;
    };
    on.port = given;
    await machine.ok(["secret", "set", "anthropic"], KEY);
    // A registry of the machine's own is named in it.
    await on.output(["touch", "/etc/hosts"]);
    untouched = await on.traces();
  });

  /** What an agent of the gateway's answers, after the status. */
  function ask(agent: string, content: string): Promise<string> {
    const body = { model: `openclaw/${agent}`, messages: [{ role: "user", content }] };
    return on.output([
      "node",
      "-e",
      `
      const token = require("fs").readFileSync("/var/lib/seawall/tokens/basecamp", "utf8").trim();
      fetch("http://127.0.0.1:18789/v1/chat/completions", { method: "POST",
        headers: { authorization: "Bearer " + token, "content-type": "application/json" },
        body: ${JSON.stringify(JSON.stringify(body))} })
        .then(async (r) => console.log(r.status, await r.text()));`,
    ]);
  }

  test("switch refuses a unit that isn't ours, and leaves it as it is", async () => {
    on.declare();
    const place = join(machine.tree, "etc/systemd/system", GATEWAY);
    writeFileSync(place, "# somebody's\n");
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /is there already, and Seawall didn't make it/);
    assert.equal(readFileSync(place, "utf8"), "# somebody's\n");
    await on.output(["rm", `/etc/systemd/system/${GATEWAY}`]);
    assert.ok(!existsSync(join(machine.tree, "etc/seawall/current")));
  });

  test("switch refuses a port that is taken", async () => {
    on.declare({ port: on.port });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5);
    assert.match(stderr, new RegExp(`something else listens on 127.0.0.1:${on.port}`));
  });

  test("switch refuses who isn't root, and a domain where there is no Caddy", async () => {
    on.declare({ expose: { domain: "bots.example.com" } });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 4);
    assert.match(stderr, /Caddy isn't installed\n {2}hint: install it: apt install caddy/);
    const other = await machine.run([
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "node",
      resolve(import.meta.dirname, "../../src/cli/main.ts"),
      "rollback",
    ]);
    assert.equal(other.code, 4, other.stderr);
    assert.match(other.stderr, /only root can change this machine's services/);
    assert.ok(!existsSync(join(machine.tree, "etc/seawall/current")));
  });

  test("switch starts a bot that answers a turn, with the real key seen by the service alone", async () => {
    on.declare();
    await machine.ok(["switch"]);
    assert.equal(on.current(), "generations/1");
    assert.match(await ask("main", "Say the word: harbour"), /^200 .*harbour/);
    const pid = await on.pidOf(GATEWAY);
    const environment = await on.output(["cat", `/proc/${pid}/environ`]);
    assert.match(environment, /ANTHROPIC_API_KEY=/);
    assert.ok(!environment.includes(KEY));
    const status = await machine.ok(["status"]);
    assert.match(status, /generation 1.*seawall\.target active/s);
    assert.match(status, /basecamp {2}answers/);
  });

  test("a running gateway takes an agent up, and 'agent new' would read so in the journal", async () => {
    const pid = await on.pidOf(GATEWAY);
    // The programs of `agent new` itself have walls of bubblewrap's, which there are none of in a container.
    await on.output(["node", join(SUPPORT, "machineTakesUp.ts"), "deck"]);
    assert.match(await ask("deck", "Say the word: anchor"), /^200 .*anchor/);
    await on.output(["node", join(SUPPORT, "machineTakesUp.ts")]);
    assert.equal(await on.pidOf(GATEWAY), pid);
  });

  test("what the gateway may do is what the unit, the launcher and the network leave it", async () => {
    const pid = await on.pidOf(GATEWAY);
    const lines = await on.output(["cat", `/proc/${pid}/status`]);
    assert.match(lines, /CapEff:\s0+\n/);
    assert.match(lines, /CapBnd:\s0+\n/);
    assert.match(lines, /NoNewPrivs:\s1/);
    assert.match(lines, /Seccomp:\s2/);
    const links = await on.output(["nsenter", "-t", pid, "-n", "ip", "-o", "link"]);
    assert.deepEqual(links.split("\n").length, 1);
    // Control: a process of root's outside sees what the service must not.
    assert.equal(await on.output(["ls", "/root/seawall.json5"]), "/root/seawall.json5");
    const roots = await on.output([
      "nsenter",
      "-t",
      pid,
      "-m",
      "--",
      "/opt/node/bin/node",
      "-e",
      `
      const fs = require("fs");
      console.log(fs.readdirSync("/").sort().join(" "), fs.existsSync("/etc/shadow"), fs.existsSync("/root/seawall.json5"));`,
    ]);
    assert.match(roots, / false false$/);
  });

  test("prove attacks the wall that systemd makes, and nothing gets through that isn't named", async () => {
    const { stdout, stderr } = await machine.seawall(["prove", "--json"]);
    assert.ok(stdout.startsWith("{"), stderr);
    const { attacks } = JSON.parse(stdout) as ProveReport;
    const { health } = JSON.parse((await machine.seawall(["status", "--json"])).stdout) as {
      readonly health: readonly { readonly key: string }[];
    };
    // Where this machine's systemd has no say on memory, status tells so.
    const named = health.some(({ key }) => key === "limits:basecamp") ? ["memory"] : [];
    assert.deepEqual(
      attacks.flatMap(({ name, held, detail }) =>
        held || named.includes(name) ? [] : [`${name}: ${detail}`],
      ),
      [],
    );
    assert.ok(attacks.length > 130);
    const left = await on
      .output(["sh", "-c", "ls /run /run/systemd/system | grep seawall-"])
      .catch(() => "");
    assert.equal(left, "");
  });

  test("the record of a bot's calls is read and checked where its broker writes it", async () => {
    assert.match(
      await machine.ok(["audit", "query", "--method", "POST"]),
      /POST +api\.anthropic\.com/,
    );
    assert.match(await machine.ok(["audit", "verify"]), /the record is whole/);
    const { code, stderr } = await machine.seawall(["audit", "query", "--bot", "nobody"]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no bot "nobody"/);
  });

  test("metrics are on a socket of root's, and the journal knows the bot", async () => {
    const socket = "/run/seawall/basecamp/metrics";
    assert.match(await on.output(["stat", "-c", "%a %U", socket]), /^600 root$/);
    const get = `require("http").get({ socketPath: "${socket}", path: "/metrics" }, (r) => r.pipe(process.stdout))`;
    assert.match(await on.output(["node", "-e", get]), /^seawall_calls_total\{.*bot="basecamp"/m);
    assert.notEqual(
      await on.output(["journalctl", "-o", "cat", "SEAWALL_BOT=basecamp", "SEAWALL_ROLE=gateway"]),
      "",
    );
  });

  test("a call that waits is told by status and allowed for good by approve, which changes the declaration and switches", async () => {
    on.declare({}, { ask: ["GET /v1/models"] });
    await machine.ok(["switch", "--yes"]);
    const pid = await on.pidOf(GATEWAY);
    const call = machine.run([
      "nsenter",
      "-t",
      pid,
      "-n",
      "node",
      join(SUPPORT, "machineCall.ts"),
      pid,
      "https://api.anthropic.com/v1/models",
    ]);
    let id: string | undefined;
    for (let tries = 0; tries < 200 && id === undefined; tries++) {
      const { asks } = JSON.parse(await machine.ok(["approve", "--json"])) as {
        readonly asks: readonly { readonly id: string }[];
      };
      id = asks[0]?.id;
    }
    assert.ok(id !== undefined, "nothing waits");
    assert.match(await machine.ok(["status"]), /1 waiting for your word/);
    await machine.ok(["approve", id, "--always"]);
    assert.match((await call).stdout, /^\d{3}/);
    assert.equal(on.current(), "generations/3");
    assert.equal(await on.pidOf(GATEWAY), pid);
    const written = readFileSync(join(machine.tree, "root", "seawall.json5"), "utf8");
    // The service's own list allows it as soon as nothing says to ask.
    assert.match(written, /"ask":\[\]/);
    const { stderr } = await machine.seawall(["approve", id, "--once"]);
    assert.match(stderr, /nothing waits under/);
  });

  test("a broker that is killed comes back without one connection attempt refused", async () => {
    const pid = await on.pidOf(GATEWAY);
    const plan = JSON.parse(
      readFileSync(join(machine.tree, "etc/seawall/current/generation.json"), "utf8"),
    ) as {
      plan: { bots: [{ grants: [{ hosts: [{ v4: string }] }] }] };
    };
    const address = plan.plan.bots[0].grants[0].hosts[0].v4;
    const visits = machine.start([
      "nsenter",
      "-t",
      pid,
      "-n",
      "node",
      join(SUPPORT, "machineVisits.ts"),
      address,
    ]);
    assert.ok(visits.stdout !== null && visits.stdin !== null);
    let said = "";
    visits.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    await once(visits.stdout, "data");
    const first = await on.pidOf(BROKER);
    await on.output(["sh", "-c", `kill -9 ${first}`]);
    for (let tries = 0; tries < 300; tries++) {
      const now = await on.pidOf(BROKER);
      if (
        now !== "0" &&
        now !== first &&
        (await on.output(["systemctl", "show", "--value", "--property=ActiveState", BROKER])) ===
          "active"
      )
        break;
      await wait(50);
    }
    assert.notEqual(await on.pidOf(BROKER), first);
    visits.stdin.end();
    await once(visits, "close");
    const outcome = JSON.parse(said.trim().split("\n").at(-1) ?? "{}") as {
      taken: number;
      refused: number;
    };
    assert.equal(outcome.refused, 0);
    assert.ok(outcome.taken > 5, said);
    assert.equal(await on.pidOf(GATEWAY), pid);
  });

  test("switch marks what loosens and asks; rules alone restart nothing", async () => {
    const pids = [await on.pidOf(GATEWAY), await on.pidOf(BROKER)];
    on.declare({}, { allow: ["...", "GET /v1/files"] });
    const refused = await machine.seawall(["switch"]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(
      refused.stderr,
      /^! basecamp, grant "anthropic": calls that are made gain GET \/v1\/files$/m,
    );
    assert.equal(on.current(), "generations/3");
    await machine.ok(["switch", "--yes"]);
    assert.equal(on.current(), "generations/4");
    assert.deepEqual([await on.pidOf(GATEWAY), await on.pidOf(BROKER)], pids);
    assert.match(await machine.ok(["switch"]), /says the same already/);
  });

  test("a generation that doesn't become healthy goes back by itself", async () => {
    const pids = [await on.pidOf(GATEWAY), await on.pidOf(BROKER)];
    on.declare({}, { secret: "lost" }, { lost: { vault: "lost" } });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /going back to generation 4/);
    assert.equal(on.current(), "generations/4");
    assert.ok(!existsSync(join(machine.tree, "etc/seawall/pending")));
    assert.equal(await on.pidOf(GATEWAY), pids[0]);
    assert.match(await machine.ok(["status"]), /basecamp {2}answers/);
  });

  test("rollback puts the generation before in force", async () => {
    await machine.ok(["rollback"]);
    assert.equal(on.current(), "generations/3");
    const { code, stderr } = await machine.seawall(["rollback", "77"]);
    assert.equal(code, 1);
    assert.match(stderr, /there is no generation 77/);
    assert.match(await machine.ok(["generations"]), /^\* 3 /m);
  });

  testUpdates(on);

  testBetweenBots(on);

  test("an agent's tools have a wall of their own within the unit's", async () => {
    await attackServiceTools(machine, (...words) => on.fromInside(...words));
  });

  testAsks(on);
  testPlugins(on);
  testDescribed(on);
  testPages(on);
  testTailnet(on);

  // Stand-ins and registry end with the machine, so what needs them comes before.
  test("a power cut in the middle of a switch leaves a whole generation, which runs after boot", async () => {
    const brave = { brave: { secret: "anthropic" } };
    on.declare({ exec: { allow: ["brave-search", "ls"] } }, {}, {}, brave);
    const over = new AbortController();
    const switching = machine
      .seawall(["switch", "--yes"])
      .catch(() => undefined)
      .finally(() => over.abort());
    const pending = join(machine.tree, "etc/seawall/pending");
    while (!existsSync(pending) && !over.signal.aborted) await wait(20);
    assert.ok(!over.signal.aborted, "the switch was over before it could be cut off");
    await machine.cut();
    await switching;
    assert.match(on.current(), /^generations\/\d+$/);
    assert.ok(existsSync(join(machine.tree, "etc/seawall", on.current(), "generation.json")));
    await machine.boot();
    await on.ownPins();
    for (let tries = 0; tries < 240; tries++) {
      const { code } = await machine.seawall(["status"]);
      if (code === 0) break;
      await wait(500);
    }
    const status = await machine.ok(["status"]);
    assert.match(status, /basecamp {2}answers/);
    assert.match(status, /was cut off/);
    await machine.ok(["switch", "--yes"]);
    const after = await machine.ok(["status"]);
    assert.match(after, /basecamp {2}answers/);
    assert.doesNotMatch(after, /was cut off/);
  });

  test("a client command asks the broker from inside the unit; nobody but the bot can", async () => {
    const help = await on.fromInside("/usr/bin/brave-search", "--help");
    assert.equal(help.status, 0, help.stderr);
    assert.match(help.stdout, /brave-search/);
    // What may be asked is the broker's to say.
    const refused = await on.fromInside("/usr/bin/brave-search", "call", "GET", "/nothing");
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, /there are: news, web/);
    // Neither a command that wasn't granted nor anything of Seawall's own is there.
    assert.equal((await on.fromInside("/usr/bin/google-api", "--help")).code, "ENOENT");
    assert.notEqual((await on.fromInside("/usr/bin/ls", "/run/seawall/basecamp")).status, 0);
    const connect = `require("net").connect("/run/seawall/basecamp/command/socket")
      .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
    // Control: root can.
    assert.equal(await on.output(["node", "-e", connect]), "connected");
    const other = ["setpriv", "--reuid=65534", "--clear-groups", "node", "-e", connect];
    assert.equal(await on.output(other), "EACCES");
  });

  test("uninstall leaves nothing", async () => {
    await machine.ok(["uninstall", "--yes"]);
    const units = await machine.run([
      "systemctl",
      "list-units",
      "--all",
      "--no-legend",
      "seawall*",
    ]);
    assert.equal(units.stdout.trim(), "");
    const left = (await on.traces()).split("\n");
    const known = new Set(untouched.split("\n"));
    assert.deepEqual(
      left.filter(
        (line) =>
          !known.has(line) &&
          !/^\/(etc|tmp)$|\/tmp\/|\.lock$|passwd-$|group-$|shadow-$|^\/etc\/(resolv|mtab|ld\.so)/.test(
            line,
          ),
      ),
      [],
    );
  });
});
