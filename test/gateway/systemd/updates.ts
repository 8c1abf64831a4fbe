import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, describe, test } from "node:test";
import { BROKER, GATEWAY, SUPPORT, type ServiceMachine } from "../../support/ServiceMachine.ts";

const PINS = resolve(import.meta.dirname, "../../../pins/openclaw");

/** A bot that moves to newer versions by itself; from here on small programs stand in for OpenClaw. */
export function testUpdates(on: ServiceMachine): void {
  const { machine } = on;
  describe("autoUpdate", () => {
    const offer = (versions: Readonly<Record<string, string>>): void =>
      writeFileSync(join(on.root, "versions.json"), JSON.stringify(versions));
    const declared = (): string => readFileSync(join(on.root, "seawall.json5"), "utf8");
    const OLD = "2026-01-01T00:00:00.000Z";
    before(async () => {
      offer({ [on.openclaw]: OLD });
      const registry = machine.start([
        "node",
        join(SUPPORT, "machineRegistry.ts"),
        "/root",
        "2026.9.8",
      ]);
      assert.ok(registry.stdout !== null);
      registry.stderr?.pipe(process.stderr);
      await once(registry.stdout, "data");
      const npm = resolve(import.meta.dirname, "../../../node_modules/npm/bin/npm-cli.js");
      await on.output(["ln", "-s", npm, "/usr/bin/npm"]);
      await on.output(["cp", "-r", PINS, "/root/pins"]);
      await on.ownPins();
      on.surroundings = { autoUpdate: { calendar: "Sun 04:30", from: "registry" } };
      on.declare();
    });

    test("a calendar that systemd doesn't take is refused; a right one starts a timer and restarts no bot", async () => {
      const pids = [await on.pidOf(GATEWAY), await on.pidOf(BROKER)];
      on.surroundings = { autoUpdate: { calendar: "Sunday morning", from: "registry" } };
      on.declare();
      const { code, stderr } = await machine.seawall(["switch", "--yes"]);
      assert.equal(code, 4, stderr);
      assert.match(stderr, /systemd doesn't take autoUpdate's calendar/);
      on.surroundings = { autoUpdate: { calendar: "Sun 04:30", from: "registry" } };
      on.declare();
      await machine.ok(["switch", "--yes"]);
      assert.deepEqual([await on.pidOf(GATEWAY), await on.pidOf(BROKER)], pids);
      assert.match((await on.status()).updates?.next ?? "", /^\d{4}-\d\d-\d\dT/);
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
      for (const path of tried) await on.output(["test", "-r", path]);
      const script = join(on.root, "try.mjs");
      writeFileSync(
        script,
        `import fs from "node:fs";
         const can = (work) => { try { work(); return true; } catch { return false; } };
         fs.writeFileSync("/var/lib/seawall-fetch/tried.json", JSON.stringify({
           read: ${JSON.stringify(tried)}.filter((path) => can(() => fs.readFileSync(path))),
           written: ["/etc", "/usr/bin", "/opt/npm", "/", ${JSON.stringify(PINS)}].filter((path) => can(() => fs.writeFileSync(path + "/x", ""))),
           uid: process.getuid() }));`,
      );
      await on.output(["mkdir", "-p", "/run/systemd/system/seawall-fetch.service.d"]);
      writeFileSync(
        join(machine.tree, "run/systemd/system/seawall-fetch.service.d/try.conf"),
        "[Service]\nExecStart=\nExecStart=/opt/node/bin/node /try.mjs\nBindReadOnlyPaths=/root/try.mjs:/try.mjs\n",
      );
      await on.output(["systemctl", "daemon-reload"]);
      await on.output(["systemctl", "start", "seawall-fetch.service"]);
      const result = JSON.parse(
        await on.output(["cat", "/var/lib/private/seawall-fetch/tried.json"]),
      ) as { readonly read: string[]; readonly written: string[]; readonly uid: number };
      assert.deepEqual([result.read, result.written], [[], []]);
      assert.notEqual(result.uid, 0);
      await on.output(["rm", "-r", "/run/systemd/system/seawall-fetch.service.d"]);
      await on.output(["systemctl", "daemon-reload"]);
    });

    test("the service moves the bot to a version that is old enough, pinned and declared", async () => {
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
      offer({ [on.openclaw]: OLD, "2026.9.7": OLD, "2026.9.9": tomorrow, "2027.1.1-beta.1": OLD });
      const before = Number(on.current().split("/")[1]);
      await machine.ok(["status"]);
      await on
        .output(["systemctl", "start", "seawall-update.service"])
        .catch(async (error: unknown) => {
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
          throw new Error(await on.output(journal), { cause: error });
        });
      on.openclaw = "2026.9.7";
      assert.match(declared(), /"openclaw":"2026\.9\.7"/);
      assert.equal(on.current(), `generations/${before + 1}`);
      const { updates, health } = await on.status();
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
      assert.match(await on.output(["cat", "/root/pins/2026.9.7/package-lock.json"]), /sha512-/);
    });

    test("from a version that doesn't come up it goes back by itself, says so, and doesn't try it again", async () => {
      offer({ "2026.9.7": OLD, "2026.9.8": OLD });
      const before = on.current();
      const text = declared();
      const { code } = await machine.run(["systemctl", "start", "seawall-update.service"]);
      assert.notEqual(code, 0);
      assert.equal(on.current(), before);
      assert.equal(declared(), text);
      const warning = (await on.status()).health.find(({ key }) => key === "update");
      assert.match(
        JSON.stringify(warning),
        /to OpenClaw 2026\.9\.8 failed, and what ran before runs/,
      );
      assert.match(warning?.remedy ?? "", /seawall update/);
      assert.match(await machine.ok(["status"]), /basecamp {2}answers/);
      assert.match(await machine.ok(["update"]), /2026\.9\.8 failed before .* was not tried again/);
    });

    test("a declaration with changes that weren't applied is left alone", async () => {
      on.declare({}, { deny: ["GET /v1/never"] });
      const text = declared();
      const { code, stderr } = await machine.seawall(["update"]);
      assert.equal(code, 1);
      assert.match(stderr, /the declaration was changed since it was applied/);
      assert.equal(declared(), text);
    });
  });
}
