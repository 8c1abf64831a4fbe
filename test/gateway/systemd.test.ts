import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ProveReport } from "../../src/prove/index.ts";
import { bootMachine, type Machine } from "../support/Machine.ts";
import { testStore } from "../support/testStore.ts";
import { attackServiceTools } from "./systemdTools.ts";

const SUPPORT = resolve(import.meta.dirname, "../support");
const PINS = resolve(import.meta.dirname, "../../pins/openclaw");
const KEY = `sk-ant-api03-${randomBytes(70).toString("base64url").slice(0, 93)}AA`;
const GATEWAY = "seawall-gateway-basecamp.service";
const BROKER = "seawall-broker-basecamp.service";

const booted = await bootMachine(testStore);
after(async () => {
  if (typeof booted !== "string") await booted[Symbol.asyncDispose]();
});

describe("a machine run by systemd", { skip: typeof booted === "string" && booted }, () => {
  const machine = booted as Machine;
  let port = 0;
  let untouched = "";
  let openclaw = "2026.9.6";
  /** Of the declaration, beside bots and secrets. */
  let surroundings: object = {};
  /** Bots beside the one. */
  let neighbours: object = {};

  /** Writes the declaration; `more` goes into the bot, `grant` into its grant. */
  function declare(
    more: object = {},
    grant: object = {},
    secrets: object = {},
    grants: object = {},
  ): void {
    const declaration = {
      seawall: 1,
      secrets: { anthropic: { vault: "anthropic" }, ...secrets },
      bots: {
        basecamp: {
          openclaw,
          model: "anthropic/claude-sonnet-4-6",
          grants: {
            anthropic: {
              secret: "anthropic",
              dial: { host: "127.0.0.1", port, ca: "stand-ins.pem" },
              ...grant,
            },
            ...grants,
          },
          settings: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } },
          agents: { repositories: { path: "/srv/git" } },
          ...more,
        },
        ...neighbours,
      },
      ...surroundings,
    };
    writeFileSync(join(machine.tree, "root", "seawall.json5"), JSON.stringify(declaration));
  }

  /** This project is seen read-only in a machine, and an update pins what it found. */
  const ownPins = (): Promise<string> => output(["mount", "--bind", "/root/pins", PINS]);

  async function output(command: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await machine.run(command);
    assert.equal(code, 0, `${command.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  const pidOf = (unit: string): Promise<string> =>
    output(["systemctl", "show", "--value", "--property=MainPID", unit]);
  const current = (): string => readlinkSync(join(machine.tree, "etc/seawall/current"));
  /** All that a switch could have made or changed. */
  const traces = (): Promise<string> =>
    output([
      "sh",
      "-c",
      "find /etc /run/seawall /var/lib/seawall/system /tmp -not -path '/etc/*.d/*cache*' 2>/dev/null | sort; cat /etc/passwd /etc/group",
    ]);

  before(async () => {
    const folder = join(machine.tree, "root");
    mkdirSync(folder, { recursive: true });
    const standIn = machine.start(["node", join(SUPPORT, "machineStandIn.ts"), "/root", KEY]);
    assert.ok(standIn.stdout !== null);
    await once(standIn.stdout, "data");
    const { port: given } = JSON.parse(readFileSync(join(folder, "stand-ins.json"), "utf8")) as {
      port: number;
    };
    port = given;
    await machine.ok(["secret", "set", "anthropic"], KEY);
    untouched = await traces();
  });

  test("switch refuses a unit that isn't ours, and leaves it as it is", async () => {
    declare();
    const place = join(machine.tree, "etc/systemd/system", GATEWAY);
    writeFileSync(place, "# somebody's\n");
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /is there already, and Seawall didn't make it/);
    assert.equal(readFileSync(place, "utf8"), "# somebody's\n");
    await output(["rm", `/etc/systemd/system/${GATEWAY}`]);
    assert.ok(!existsSync(join(machine.tree, "etc/seawall/current")));
  });

  test("switch refuses a port that is taken", async () => {
    declare({ port });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5);
    assert.match(stderr, new RegExp(`something else listens on 127.0.0.1:${port}`));
  });

  test("switch refuses who isn't root, and a domain where there is no Caddy", async () => {
    declare({ expose: { domain: "bots.example.com" } });
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
    declare();
    await machine.ok(["switch"]);
    assert.equal(current(), "generations/1");
    const ask = `
      const token = require("fs").readFileSync("/var/lib/seawall/tokens/basecamp", "utf8").trim();
      fetch("http://127.0.0.1:18789/v1/chat/completions", { method: "POST",
        headers: { authorization: "Bearer " + token, "content-type": "application/json" },
        body: JSON.stringify({ model: "openclaw/main", messages: [{ role: "user", content: "Say the word: harbour" }] }) })
        .then(async (r) => console.log(r.status, await r.text()));`;
    const said = await output(["node", "-e", ask]);
    assert.match(said, /^200 .*harbour/);
    const pid = await pidOf(GATEWAY);
    const environment = await output(["cat", `/proc/${pid}/environ`]);
    assert.match(environment, /ANTHROPIC_API_KEY=/);
    assert.ok(!environment.includes(KEY));
    const status = await machine.ok(["status"]);
    assert.match(status, /generation 1.*seawall\.target active/s);
    assert.match(status, /basecamp {2}answers/);
  });

  test("what the gateway may do is what the unit, the launcher and the network leave it", async () => {
    const pid = await pidOf(GATEWAY);
    const lines = await output(["cat", `/proc/${pid}/status`]);
    assert.match(lines, /CapEff:\s0+\n/);
    assert.match(lines, /CapBnd:\s0+\n/);
    assert.match(lines, /NoNewPrivs:\s1/);
    assert.match(lines, /Seccomp:\s2/);
    const links = await output(["nsenter", "-t", pid, "-n", "ip", "-o", "link"]);
    assert.deepEqual(links.split("\n").length, 1);
    // Control: a process of root's outside sees what the service must not.
    assert.equal(await output(["ls", "/root/seawall.json5"]), "/root/seawall.json5");
    const roots = await output([
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
    const left = await output(["sh", "-c", "ls /run /run/systemd/system | grep seawall-"]).catch(
      () => "",
    );
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
    assert.match(await output(["stat", "-c", "%a %U", socket]), /^600 root$/);
    const get = `require("http").get({ socketPath: "${socket}", path: "/metrics" }, (r) => r.pipe(process.stdout))`;
    assert.match(await output(["node", "-e", get]), /^seawall_calls_total\{.*bot="basecamp"/m);
    assert.notEqual(
      await output(["journalctl", "-o", "cat", "SEAWALL_BOT=basecamp", "SEAWALL_ROLE=gateway"]),
      "",
    );
  });

  test("a call that waits is told by status and allowed for good by approve, which changes the declaration and switches", async () => {
    declare({}, { ask: ["GET /v1/models"] });
    await machine.ok(["switch", "--yes"]);
    const pid = await pidOf(GATEWAY);
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
    assert.equal(current(), "generations/3");
    assert.equal(await pidOf(GATEWAY), pid);
    const written = readFileSync(join(machine.tree, "root", "seawall.json5"), "utf8");
    // The service's own list allows it as soon as nothing says to ask.
    assert.match(written, /"ask":\[\]/);
    const { stderr } = await machine.seawall(["approve", id, "--once"]);
    assert.match(stderr, /nothing waits under/);
  });

  test("a broker that is killed comes back without one connection attempt refused", async () => {
    const pid = await pidOf(GATEWAY);
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
    const first = await pidOf(BROKER);
    await output(["sh", "-c", `kill -9 ${first}`]);
    for (let tries = 0; tries < 300; tries++) {
      const now = await pidOf(BROKER);
      if (
        now !== "0" &&
        now !== first &&
        (await output(["systemctl", "show", "--value", "--property=ActiveState", BROKER])) ===
          "active"
      )
        break;
      await wait(50);
    }
    assert.notEqual(await pidOf(BROKER), first);
    visits.stdin.end();
    await once(visits, "close");
    const outcome = JSON.parse(said.trim().split("\n").at(-1) ?? "{}") as {
      taken: number;
      refused: number;
    };
    assert.equal(outcome.refused, 0);
    assert.ok(outcome.taken > 5, said);
    assert.equal(await pidOf(GATEWAY), pid);
  });

  test("switch marks what loosens and asks; rules alone restart nothing", async () => {
    const pids = [await pidOf(GATEWAY), await pidOf(BROKER)];
    declare({}, { allow: ["...", "GET /v1/files"] });
    const refused = await machine.seawall(["switch"]);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(
      refused.stderr,
      /^! basecamp, grant "anthropic": calls that are made gain GET \/v1\/files$/m,
    );
    assert.equal(current(), "generations/3");
    await machine.ok(["switch", "--yes"]);
    assert.equal(current(), "generations/4");
    assert.deepEqual([await pidOf(GATEWAY), await pidOf(BROKER)], pids);
    assert.match(await machine.ok(["switch"]), /says the same already/);
  });

  test("a generation that doesn't become healthy goes back by itself", async () => {
    const pids = [await pidOf(GATEWAY), await pidOf(BROKER)];
    declare({}, { secret: "lost" }, { lost: { vault: "lost" } });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /going back to generation 4/);
    assert.equal(current(), "generations/4");
    assert.ok(!existsSync(join(machine.tree, "etc/seawall/pending")));
    assert.equal(await pidOf(GATEWAY), pids[0]);
    assert.match(await machine.ok(["status"]), /basecamp {2}answers/);
  });

  test("rollback puts the generation before in force", async () => {
    await machine.ok(["rollback"]);
    assert.equal(current(), "generations/3");
    const { code, stderr } = await machine.seawall(["rollback", "77"]);
    assert.equal(code, 1);
    assert.match(stderr, /there is no generation 77/);
    assert.match(await machine.ok(["generations"]), /^\* 3 /m);
  });

  describe("autoUpdate", () => {
    const root = (): string => join(machine.tree, "root");
    const offer = (versions: Readonly<Record<string, string>>): void =>
      writeFileSync(join(root(), "versions.json"), JSON.stringify(versions));
    const declared = (): string => readFileSync(join(root(), "seawall.json5"), "utf8");
    const OLD = "2026-01-01T00:00:00.000Z";
    interface Status {
      readonly updates?: {
        readonly next?: string;
        readonly last?: { readonly outcome: string; readonly to?: string };
      };
      readonly health: readonly { readonly key: string; readonly remedy?: string }[];
    }
    const status = async (): Promise<Status> =>
      JSON.parse((await machine.seawall(["status", "--json"])).stdout) as Status;

    before(async () => {
      offer({ [openclaw]: OLD });
      const registry = machine.start([
        "node",
        join(SUPPORT, "machineRegistry.ts"),
        "/root",
        "2026.9.8",
      ]);
      assert.ok(registry.stdout !== null);
      registry.stderr?.pipe(process.stderr);
      await once(registry.stdout, "data");
      const npm = resolve(import.meta.dirname, "../../node_modules/npm/bin/npm-cli.js");
      await output(["ln", "-s", npm, "/usr/bin/npm"]);
      await output(["cp", "-r", PINS, "/root/pins"]);
      await ownPins();
      surroundings = { autoUpdate: { calendar: "Sun 04:30", from: "registry" } };
      declare();
    });

    test("a calendar that systemd doesn't take is refused; a right one starts a timer and restarts no bot", async () => {
      const pids = [await pidOf(GATEWAY), await pidOf(BROKER)];
      surroundings = { autoUpdate: { calendar: "Sunday morning", from: "registry" } };
      declare();
      const { code, stderr } = await machine.seawall(["switch", "--yes"]);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /systemd doesn't take autoUpdate's calendar/);
      surroundings = { autoUpdate: { calendar: "Sun 04:30", from: "registry" } };
      declare();
      await machine.ok(["switch", "--yes"]);
      assert.deepEqual([await pidOf(GATEWAY), await pidOf(BROKER)], pids);
      assert.match((await status()).updates?.next ?? "", /^\d{4}-\d\d-\d\dT/);
    });

    test("what fetches sees nothing of Seawall's but its code, and writes its own folder only", async () => {
      const tried = [
        "/etc/seawall/current/generation.json",
        "/etc/seawall/current/private/basecamp/broker.json",
        "/var/lib/seawall/vault/vault.key",
        "/var/lib/seawall/tokens/basecamp",
        "/root/seawall.json5",
        "/etc/shadow",
      ];
      // Control: they are there.
      for (const path of tried) await output(["test", "-r", path]);
      const script = join(root(), "try.mjs");
      writeFileSync(
        script,
        `import fs from "node:fs";
         const can = (work) => { try { work(); return true; } catch { return false; } };
         fs.writeFileSync("/var/lib/seawall-fetch/tried.json", JSON.stringify({
           read: ${JSON.stringify(tried)}.filter((path) => can(() => fs.readFileSync(path))),
           written: ["/etc", "/usr/bin", "/opt/npm", "/", ${JSON.stringify(PINS)}].filter((path) => can(() => fs.writeFileSync(path + "/x", ""))),
           uid: process.getuid() }));`,
      );
      await output(["mkdir", "-p", "/run/systemd/system/seawall-fetch.service.d"]);
      writeFileSync(
        join(machine.tree, "run/systemd/system/seawall-fetch.service.d/try.conf"),
        "[Service]\nExecStart=\nExecStart=/opt/node/bin/node /try.mjs\nBindReadOnlyPaths=/root/try.mjs:/try.mjs\n",
      );
      await output(["systemctl", "daemon-reload"]);
      await output(["systemctl", "start", "seawall-fetch.service"]);
      const result = JSON.parse(
        await output(["cat", "/var/lib/private/seawall-fetch/tried.json"]),
      ) as { readonly read: string[]; readonly written: string[]; readonly uid: number };
      assert.deepEqual([result.read, result.written], [[], []]);
      assert.notEqual(result.uid, 0);
      await output(["rm", "-r", "/run/systemd/system/seawall-fetch.service.d"]);
      await output(["systemctl", "daemon-reload"]);
    });

    test("the service moves the bot to a version that is old enough, pinned and declared", async () => {
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
      offer({ [openclaw]: OLD, "2026.9.7": OLD, "2026.9.9": tomorrow, "2027.1.1-beta.1": OLD });
      const before = Number(current().split("/")[1]);
      await machine.ok(["status"]);
      await output(["systemctl", "start", "seawall-update.service"]).catch(
        async (error: unknown) => {
          const journal = [
            "journalctl",
            "-b",
            "-o",
            "cat",
            "-n",
            "40",
            "-u",
            "seawall-update",
            "-u",
            "seawall-fetch",
          ];
          throw new Error(await output(journal), { cause: error });
        },
      );
      openclaw = "2026.9.7";
      assert.match(declared(), /"openclaw":"2026\.9\.7"/);
      assert.equal(current(), `generations/${before + 1}`);
      const { updates, health } = await status();
      assert.equal(updates?.last?.outcome, "updated");
      assert.equal(updates.last.to, "2026.9.7");
      assert.deepEqual(
        health.filter(({ key }) => key.startsWith("update")),
        [],
      );
      assert.match(
        await machine.ok(["status"]),
        /OpenClaw 2026\.9\.7.*moved to OpenClaw 2026\.9\.7/s,
      );
      assert.match(await output(["cat", "/root/pins/2026.9.7/package-lock.json"]), /sha512-/);
    });

    test("from a version that doesn't come up it goes back by itself, says so, and doesn't try it again", async () => {
      offer({ "2026.9.7": OLD, "2026.9.8": OLD });
      const before = current();
      const text = declared();
      const { code } = await machine.run(["systemctl", "start", "seawall-update.service"]);
      assert.notEqual(code, 0);
      assert.equal(current(), before);
      assert.equal(declared(), text);
      const warning = (await status()).health.find(({ key }) => key === "update");
      assert.match(
        JSON.stringify(warning),
        /to OpenClaw 2026\.9\.8 failed, and what ran before runs/,
      );
      assert.match(warning?.remedy ?? "", /seawall update/);
      assert.match(await machine.ok(["status"]), /basecamp {2}answers/);
      assert.match(await machine.ok(["update"]), /2026\.9\.8 failed before .* was not tried again/);
    });

    test("a declaration with changes that weren't applied is left alone", async () => {
      declare({}, { deny: ["GET /v1/never"] });
      const text = declared();
      const { code, stderr } = await machine.seawall(["update"]);
      assert.equal(code, 1);
      assert.match(stderr, /the declaration was changed since it was applied/);
      assert.equal(declared(), text);
    });
  });

  test("a power cut in the middle of a switch leaves a whole generation, which runs after boot", async () => {
    const brave = { brave: { secret: "anthropic" } };
    declare({ exec: { allow: ["brave-search", "ls"] } }, {}, {}, brave);
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
    assert.match(current(), /^generations\/\d+$/);
    assert.ok(existsSync(join(machine.tree, "etc/seawall", current(), "generation.json")));
    await machine.boot();
    await ownPins();
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

  interface Said {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
    readonly code?: string;
  }

  /** What a child of the gateway's says, behind all of its unit's wall. */
  const fromInside = (...words: readonly string[]): Promise<Said> =>
    fromBot("basecamp", 18_789, words);

  async function fromBot(bot: string, at: number, words: readonly string[]): Promise<Said> {
    const query = words.map((word) => `word=${encodeURIComponent(word)}`).join("&");
    const ask = `
      const token = require("fs").readFileSync("/var/lib/seawall/tokens/${bot}", "utf8").trim();
      fetch("http://127.0.0.1:${at}/v1/run?${query}", { headers: { authorization: "Bearer " + token } })
        .then(async (r) => console.log(await r.text()));`;
    return JSON.parse(await output(["node", "-e", ask])) as Said;
  }

  test("a client command asks the broker from inside the unit; nobody but the bot can", async () => {
    const help = await fromInside("/usr/bin/brave-search", "--help");
    assert.equal(help.status, 0, help.stderr);
    assert.match(help.stdout, /brave-search/);
    // What may be asked is the broker's to say.
    const refused = await fromInside("/usr/bin/brave-search", "call", "GET", "/nothing");
    assert.equal(refused.status, 2, refused.stderr);
    assert.match(refused.stderr, /there are: news, web/);
    // Neither a command that wasn't granted nor anything of Seawall's own is there.
    assert.equal((await fromInside("/usr/bin/google-api", "--help")).code, "ENOENT");
    assert.notEqual((await fromInside("/usr/bin/ls", "/run/seawall/basecamp")).status, 0);
    const connect = `require("net").connect("/run/seawall/basecamp/command/socket")
      .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
    // Control: root can.
    assert.equal(await output(["node", "-e", connect]), "connected");
    const other = ["setpriv", "--reuid=65534", "--clear-groups", "node", "-e", connect];
    assert.equal(await output(other), "EACCES");
  });

  test("two bots write to each other, each by its own broker, and what waits outlives the bridge", async () => {
    neighbours = {
      erdos: {
        openclaw,
        model: "anthropic/claude-sonnet-4-6",
        grants: {
          anthropic: {
            secret: "anthropic",
            dial: { host: "127.0.0.1", port, ca: "stand-ins.pem" },
          },
          bridge: { from: ["basecamp"] },
        },
        exec: { allow: ["bridge"] },
        port: 18_790,
      },
    };
    await output(["ln", "-s", process.execPath, "/usr/bin/node"]);
    declare(
      { exec: { allow: ["bridge", "cat", "ls", "node"] } },
      {},
      {},
      { bridge: { to: ["erdos"] } },
    );
    await machine.ok(["switch", "--yes"]);
    const toErdos = (...words: readonly string[]): Promise<Said> =>
      fromBot("erdos", 18_790, ["/usr/bin/bridge", ...words]);
    const sent = await fromInside("/usr/bin/bridge", "send", "to=erdos", "text=the tide is out");
    assert.equal(sent.status, 0, sent.stderr);
    const refused = await toErdos("send", "to=basecamp", "text=no");
    assert.equal(refused.status, 3, refused.stderr);
    // Killed, it comes back with what waits; its sockets stay meanwhile.
    const unit = "seawall-bridge.service";
    await output(["systemctl", "kill", "--signal=KILL", unit]);
    const received = await toErdos("receive");
    assert.equal(received.status, 0, received.stderr);
    const { messages } = JSON.parse(received.stdout) as {
      readonly messages: readonly { readonly id: string; from: string; text: string }[];
    };
    assert.deepEqual(
      messages.map(({ from, text }) => [from, text]),
      [["basecamp", "the tide is out"]],
    );
    assert.equal((await toErdos("acknowledge", `ids=["${messages[0]?.id ?? ""}"]`)).status, 0);
    assert.match((await toErdos("receive")).stdout, /"messages":\s*\[\]/);
    const { health } = JSON.parse((await machine.seawall(["status", "--json"])).stdout) as {
      readonly health: readonly { readonly key: string }[];
    };
    assert.ok(!health.some(({ key }) => key.startsWith("unit:")), JSON.stringify(health));
    // A bot sees no socket of the bridge's, and a broker can connect to its own only.
    assert.notEqual((await fromInside("/usr/bin/ls", "/run/seawall")).status, 0);
    const connect = (bot: string): string =>
      `require("net").connect("/run/seawall/${bot}/bridge/socket")
      .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
    const as = async (user: string, bot: string): Promise<string> => {
      const uid = await output(["id", "-u", user]);
      return output(["setpriv", `--reuid=${uid}`, "--clear-groups", "node", "-e", connect(bot)]);
    };
    assert.equal(await as("seawall_erdos", "erdos"), "connected");
    assert.equal(await as("seawall_erdos", "basecamp"), "EACCES");
    assert.equal(await as("seawall-erdos", "erdos"), "EACCES");
    const pid = await pidOf(unit);
    const lines = await output(["cat", `/proc/${pid}/status`]);
    assert.match(lines, /CapBnd:\s0+\n/);
    assert.match(lines, /Seccomp:\s2/);
    assert.equal(
      (await output(["nsenter", "-t", pid, "-n", "ip", "-o", "link"])).split("\n").length,
      1,
    );
  });

  test("prove attacks the bridge by a copy of it, with a message waiting for somebody else", async () => {
    const { stdout, stderr } = await machine.seawall([
      "prove",
      "basecamp",
      "--json",
      "--only",
      "bridge-sender,bridge-recipient,bridge-queue,bridge-acknowledge,bridge-token",
    ]);
    assert.ok(stdout.startsWith("{"), stderr);
    const { attacks } = JSON.parse(stdout) as ProveReport;
    assert.ok(Array.isArray(attacks), stdout + stderr);
    assert.deepEqual(
      attacks.flatMap(({ name, held, detail }) => (held ? [] : [`${name}: ${detail}`])),
      [],
    );
    assert.equal(attacks.length, 5);
    neighbours = {};
  });

  test("an agent's tools have a wall of their own within the unit's", async () => {
    await attackServiceTools(machine, fromInside);
  });

  test("a bot for the tailnet needs Tailscale, is told to it, and answers to its name there alone", async () => {
    const program = join(machine.tree, "usr/bin/tailscale");
    declare({ expose: { tailscale: true } });
    const { code, stderr } = await machine.seawall(["switch", "--yes"]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /for the tailnet, and Tailscale isn't installed\n {2}hint: install it/);
    // The real one can't be had here: one that says what it was told.
    const say = (state: string): void =>
      writeFileSync(
        program,
        `#!/bin/sh
[ "$1" = status ] && exec echo '{"Version":"1.80.2-t","BackendState":"${state}","Self":{"DNSName":"Harbour.tail0.ts.net."}}'
echo "told: $*"
exec sleep infinity\n`,
        { mode: 0o755 },
      );
    say("NeedsLogin");
    assert.match((await machine.seawall(["switch", "--yes"])).stderr, /hint: type: tailscale up/);
    say("Running");
    await machine.ok(["switch", "--yes"]);
    const journal = ["journalctl", "-b", "-o", "cat", "-u", "seawall-tailscale-basecamp"];
    assert.match(
      await output(journal),
      /^told: serve --yes --https=18789 http:\/\/127\.0\.0\.1:18789$/m,
    );
    const visit = (host: string): Promise<string> =>
      output([
        "node",
        "-e",
        `require("http").get({ host: "127.0.0.1", port: 18789, path: "/healthz", headers: { host: "${host}" } }, (r) => { console.log(r.statusCode); r.resume(); })`,
      ]);
    assert.equal(await visit("harbour.tail0.ts.net:18789"), "200");
    assert.equal(await visit("other.tail0.ts.net:18789"), "403");
    declare();
    await machine.ok(["switch", "--yes"]);
    assert.equal(await visit("harbour.tail0.ts.net:18789"), "403");
    const unit = ["systemctl", "is-active", "seawall-tailscale-basecamp"];
    assert.equal((await machine.run(unit)).stdout.trim(), "inactive");
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
    const left = (await traces()).split("\n");
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
