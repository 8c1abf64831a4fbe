import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ServiceMachine } from "../../support/ServiceMachine.ts";

/** A bot that is reached from a tailnet. Needs what stands in for OpenClaw in `updates`. */
export function testTailnet(on: ServiceMachine): void {
  const { machine } = on;

  test("a bot for the tailnet needs Tailscale, is told to it, and answers to its name there alone", async () => {
    const program = join(machine.tree, "usr/bin/tailscale");
    on.declare({ expose: { tailscale: true } });
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
    // The unit is up as soon as its program is there, and the journal has what that says when it has said it.
    let told = "";
    for (let tries = 0; tries < 100 && !told.includes("told:"); tries++) {
      if (tries > 0) await wait(100);
      told = await on.output(journal);
    }
    assert.match(told, /^told: serve --yes --https=18789 http:\/\/127\.0\.0\.1:18789$/m);
    const visit = (host: string): Promise<string> =>
      on.output([
        "node",
        "-e",
        `require("http").get({ host: "127.0.0.1", port: 18789, path: "/healthz", headers: { host: "${host}" } }, (r) => { console.log(r.statusCode); r.resume(); })`,
      ]);
    assert.equal(await visit("harbour.tail0.ts.net:18789"), "200");
    assert.equal(await visit("other.tail0.ts.net:18789"), "403");
    on.declare();
    await machine.ok(["switch", "--yes"]);
    assert.equal(await visit("harbour.tail0.ts.net:18789"), "403");
    const unit = ["systemctl", "is-active", "seawall-tailscale-basecamp"];
    assert.equal((await machine.run(unit)).stdout.trim(), "inactive");
  });
}
