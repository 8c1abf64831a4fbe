import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "node:test";
import { GATEWAY, SUPPORT, type ServiceMachine } from "../../support/ServiceMachine.ts";

/** Calls that wait, told by a chat of another bot's and by a program. Needs what stands in for OpenClaw in `updates`. */
export function testAsks(on: ServiceMachine): void {
  const { machine } = on;

  test("a call that waits is told by a chat of another bot's and by a program, which has no part in anything else", async () => {
    const { telegram } = JSON.parse(readFileSync(join(on.root, "stand-ins.json"), "utf8")) as {
      readonly telegram: number;
    };
    await machine.ok(["secret", "set", "telegram"], "1234567:AAHkVx9dPq3mZr7tYw2sLc5nBf8jGe4uRiQ");
    writeFileSync(
      join(machine.tree, "usr/bin/tell-me"),
      `#!/bin/sh\necho "told $1 as $(id -u):"; cat; ls /etc/seawall /var/lib/seawall /run/seawall 2>&1\n`,
      { mode: 0o755 },
    );
    on.surroundings = {
      approvals: {
        notify: [
          { chat: { bot: "herald", grant: "telegram", to: 123 } },
          { command: ["/usr/bin/tell-me", 'a "$HOME" 100%'] },
        ],
      },
    };
    const dial = { host: "127.0.0.1", port: telegram, ca: "stand-ins.pem" };
    on.neighbours = {
      herald: {
        openclaw: on.openclaw,
        model: "anthropic/claude-sonnet-4-6",
        grants: {
          anthropic: on.model(),
          telegram: { secret: "telegram", allowFrom: [123], dial },
        },
        port: 18_790,
      },
    };
    on.declare({}, { ask: ["GET /v1/models"] }, { telegram: { vault: "telegram" } });
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
    const journal = ["journalctl", "-b", "-o", "cat", "SEAWALL_ROLE=program"];
    const chat = ["audit", "query", "--bot", "herald", "--host", "api.telegram.org", "--json"];
    let told = "";
    let sent = "";
    for (
      let tries = 0;
      tries < 100 && !(told.includes("/run/seawall'") && sent.includes("notify"));
      tries++
    ) {
      await wait(200);
      told = await on.output(journal);
      sent = (await machine.seawall(chat)).stdout;
    }
    assert.match(sent, /"rule": "notify"/, sent);
    const [head = "", line = "", ...lists] = told.split("\n").slice(-5);
    assert.match(told, /told a "\$HOME" 100% as \d{5}:/, head);
    const { id, bot, path } = JSON.parse(line) as Readonly<Record<string, string>>;
    assert.deepEqual([bot, path], ["basecamp", "/v1/models"]);
    assert.equal(lists.length, 3, told);
    for (const each of lists) assert.match(each, /cannot open|Permission denied/);
    await machine.ok(["deny", id ?? ""]);
    await call;
    const { health } = await on.status();
    assert.deepEqual(
      health.filter(({ key }) => key.startsWith("notify")),
      [],
    );
    // Nobody but this bot's broker tells.
    const connect = `require("net").connect("/run/seawall/basecamp/tell/herald")
      .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
    const as = async (user: string): Promise<string> => {
      const uid = await on.output(["id", "-u", user]);
      return on.output(["setpriv", `--reuid=${uid}`, "--clear-groups", "node", "-e", connect]);
    };
    assert.equal(await as("seawall_basecamp"), "connected");
    assert.equal(await as("seawall-basecamp"), "EACCES");
    on.neighbours = {};
    on.surroundings = {};
    on.declare();
    await machine.ok(["switch", "--yes"]);
  });
}
