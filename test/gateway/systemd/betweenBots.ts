import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ProveReport } from "../../../src/prove/index.ts";
import { BROKER, GATEWAY, type Said, type ServiceMachine } from "../../support/ServiceMachine.ts";

/** Two bots that write to each other. Needs what stands in for OpenClaw in `updates`. */
export function testBetweenBots(on: ServiceMachine): void {
  const { machine } = on;
  // The attacks on an agent's tools that come after these need the others.
  const exec = { allow: ["bridge", "cat", "ls", "node"] };

  test("two bots write to each other, each by its own broker, and what waits outlives the bridge", async () => {
    on.neighbours = {
      erdos: {
        openclaw: on.openclaw,
        model: "anthropic/claude-sonnet-4-6",
        grants: {
          anthropic: on.model(),
          bridge: { from: ["basecamp"] },
        },
        exec: { allow: ["bridge"] },
        port: 18_790,
      },
    };
    await on.output(["ln", "-s", process.execPath, "/usr/bin/node"]);
    on.declare({ exec }, {}, {}, { bridge: { to: ["erdos"] } });
    await machine.ok(["switch", "--yes"]);
    const toErdos = (...words: readonly string[]): Promise<Said> =>
      on.fromBot("erdos", 18_790, ["/usr/bin/bridge", ...words]);
    const sent = await on.fromInside("/usr/bin/bridge", "send", "to=erdos", "text=the tide is out");
    assert.equal(sent.status, 0, sent.stderr);
    const refused = await toErdos("send", "to=basecamp", "text=no");
    assert.equal(refused.status, 3, refused.stderr);
    // Killed, it comes back with what waits; its sockets stay meanwhile.
    const unit = "seawall-bridge.service";
    await on.output(["systemctl", "kill", "--signal=KILL", unit]);
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
    assert.notEqual((await on.fromInside("/usr/bin/ls", "/run/seawall")).status, 0);
    const connect = (bot: string): string =>
      `require("net").connect("/run/seawall/${bot}/bridge/socket")
      .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
    const as = async (user: string, bot: string): Promise<string> => {
      const uid = await on.output(["id", "-u", user]);
      return on.output(["setpriv", `--reuid=${uid}`, "--clear-groups", "node", "-e", connect(bot)]);
    };
    assert.equal(await as("seawall_erdos", "erdos"), "connected");
    assert.equal(await as("seawall_erdos", "basecamp"), "EACCES");
    assert.equal(await as("seawall-erdos", "erdos"), "EACCES");
    const pid = await on.pidOf(unit);
    const lines = await on.output(["cat", `/proc/${pid}/status`]);
    assert.match(lines, /CapBnd:\s0+\n/);
    assert.match(lines, /Seccomp:\s2/);
    assert.equal(
      (await on.output(["nsenter", "-t", pid, "-n", "ip", "-o", "link"])).split("\n").length,
      1,
    );
  });

  test("rules alone restart the bridge alone, and status tells of one that isn't there", async () => {
    const bridge = "seawall-bridge.service";
    const others = [GATEWAY, BROKER, "seawall-broker-erdos.service"];
    const pids = (): Promise<string[]> => Promise.all(others.map((unit) => on.pidOf(unit)));
    const declareTo = (to: readonly string[]): void =>
      on.declare({ exec }, {}, {}, { bridge: { to } });
    const [before, first] = [await pids(), await on.pidOf(bridge)];
    declareTo([]);
    await machine.ok(["switch", "--yes"]);
    assert.deepEqual(await pids(), before);
    assert.notEqual(await on.pidOf(bridge), first);
    const refused = await on.fromInside("/usr/bin/bridge", "send", "to=erdos", "text=no");
    assert.equal(refused.status, 3, refused.stderr);
    const warned = async (): Promise<boolean> =>
      (await on.status()).health.some(
        ({ key, warning }) => key === `unit:${bridge}` && /can't write to each other/.test(warning),
      );
    const sockets = ["seawall-bridge-basecamp.socket", "seawall-bridge-erdos.socket"];
    await on.output(["systemctl", "stop", ...sockets, bridge]);
    assert.equal(await warned(), true);
    await on.output(["systemctl", "start", ...sockets, bridge]);
    declareTo(["erdos"]);
    await machine.ok(["switch", "--yes"]);
  });

  test("a switch whose bridge doesn't come up goes back", async () => {
    const inForce = on.current();
    const dropIn = "/run/systemd/system/seawall-bridge.service.d";
    // It starts in this generation only, where there is what it is to be given.
    const only = join(machine.tree, "etc/seawall", inForce, "only-here");
    writeFileSync(only, "");
    const put = `mkdir ${dropIn} && printf '[Service]\\nLoadCredential=only:/etc/seawall/current/only-here\\n' > ${dropIn}/later.conf && systemctl daemon-reload`;
    await on.output(["sh", "-c", put]);
    try {
      on.declare({ exec }, {}, {}, { bridge: { to: [] } });
      const { code, stderr } = await machine.seawall(["switch", "--yes"]);
      assert.equal(code, 5, stderr);
      assert.match(stderr, /the bridge between bots did not come to run/);
      assert.equal(on.current(), inForce);
      const { health } = await on.status();
      assert.ok(!health.some(({ key }) => key.startsWith("unit:")), JSON.stringify(health));
      const sent = await on.fromInside("/usr/bin/bridge", "send", "to=erdos", "text=as before");
      assert.equal(sent.status, 0, sent.stderr);
    } finally {
      rmSync(only);
      await on.output(["sh", "-c", `rm -r ${dropIn} && systemctl daemon-reload`]);
    }
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
    on.neighbours = {};
  });
}
