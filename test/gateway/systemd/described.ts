import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { libraryFolders } from "../../../src/host/libraries.ts";
import { brokerCache } from "../../../src/host/warmBroker.ts";
import type { Programs } from "../../../src/host/Generation.ts";
import { BROKER, GATEWAY, type ServiceMachine } from "../../support/ServiceMachine.ts";
import { testStore } from "../../support/testStore.ts";
import { pinPlugin, type Registry } from "./plugins.ts";

const PROJECT = resolve(import.meta.dirname, "../../..");
const SYSTEM = "/nix/store/abc-system";
const CURRENT = "/etc/seawall/current";
const INSTALL = "seawall-install-basecamp.service";
const STATE = "/var/lib/seawall/system";

/**
 * What NixOS gets: a generation that a build made for a machine that it was told of, in the store, and its units as
 * that has them. Nobody switches. Needs the registry of `plugins`, and a user of `asks`.
 */
export function testDescribed(on: ServiceMachine): void {
  const { machine } = on;

  describe("a machine that gets its generation from elsewhere", () => {
    let registry: Registry;
    let previous = "";
    const state = (unit: string): Promise<string> =>
      on.output(["systemctl", "show", "--value", "--property=ActiveState", unit]);
    const saidBy = (unit: string): Promise<string> =>
      on.output(["journalctl", "-b", "-o", "cat", "-u", unit]);

    before(async () => {
      registry = JSON.parse(readFileSync(join(on.root, "registry.json"), "utf8")) as Registry;
      previous = on.current();
      pinPlugin(on, registry, `sha512-${Buffer.alloc(64).toString("base64")}`);
      on.neighbours = {
        herald: {
          openclaw: on.openclaw,
          model: "anthropic/claude-sonnet-4-6",
          grants: { anthropic: on.model() },
          port: 18_790,
        },
      };
      const mattermost = {
        secret: "anthropic",
        url: "https://chat.example.com",
        allowFrom: ["owner"],
      };
      on.declare({}, {}, {}, { mattermost });
      writeFileSync(join(on.root, "machine.json"), JSON.stringify(description()));
      await on.output(["mkdir", "-p", "/nix/store"]);
      const build = ["build", "--target", "systemd", "--machine", "/root/machine.json", "--out"];
      await machine.ok([...build, SYSTEM, "/root/seawall.json5"]);
      await on.output(["systemctl", "stop", "seawall*"]);
      await on.output(["rm", "-f", `${STATE}/plugins/basecamp.json`]);
      await on.output(["ln", "-sfn", SYSTEM, CURRENT]);
      mkdirSync(join(machine.tree, "run/systemd/system"), { recursive: true });
      await on.output(["sh", "-c", `ln -s ${CURRENT}/units/* /run/systemd/system`]);
      await on.output(["systemd-tmpfiles", "--create", `${CURRENT}/tmpfiles.conf`]);
      await on.output(["node", join(PROJECT, "src/host/described/main.ts"), CURRENT]);
      await on.output(["systemctl", "daemon-reload"]);
    });

    after(async () => {
      await on.output(["systemctl", "stop", "seawall*"]);
      await on.output([
        "sh",
        "-c",
        `cd ${CURRENT}/units && for unit in *; do rm /run/systemd/system/$unit; done`,
      ]);
      await on.output(["ln", "-sfn", previous, CURRENT]);
      await on.output(["rm", "-r", `${STATE}/private`]);
      await on.output(["systemctl", "daemon-reload"]);
      on.neighbours = {};
    });

    /** This machine, as NixOS describes one. */
    function description(): object {
      const { programs, bots } = JSON.parse(
        readFileSync(join(machine.tree, CURRENT, "generation.json"), "utf8"),
      ) as {
        readonly programs: Programs;
        readonly bots: { readonly basecamp: { readonly openclaw: { readonly root: string } } };
      };
      const { node, launcher, shell } = programs;
      return {
        version: 1,
        nixos: true,
        systemd: 252,
        kernel: "6.12.30",
        architecture: process.arch === "arm64" ? "aarch64" : "x86_64",
        paths: {
          generation: CURRENT,
          private: `${STATE}/private`,
          state: STATE,
          runtime: "/run/seawall",
          vault: {
            file: "/var/lib/seawall/vault/vault.age",
            identity: "/var/lib/seawall/vault/vault.key",
          },
        },
        programs: {
          node,
          launcher,
          shell,
          ip: "/usr/sbin/ip",
          socketProxy: "/usr/lib/systemd/systemd-socket-proxyd",
          caddy: "/usr/bin/caddy",
          tailscale: "/usr/bin/tailscale",
        },
        project: PROJECT,
        cache: brokerCache(testStore()),
        registry: registry.url,
        openclaw: { [on.openclaw]: bots.basecamp.openclaw.root },
        commands: {},
        system: [...libraryFolders(), "/etc"],
      };
    }

    test("starts every bot but the one whose plugin can't be had as it is pinned, and says what to do", async () => {
      await on.output(["systemctl", "start", "seawall.target"]);
      assert.equal(await state(INSTALL), "failed", await saidBy(INSTALL));
      assert.equal(await state(GATEWAY), "inactive");
      assert.equal(await state(GATEWAY.replace("basecamp", "herald")), "active");
      assert.match(
        await saidBy(INSTALL),
        /could not be installed into bot "basecamp"\n {2}hint: look at: journalctl -b -u seawall-plugins-gateway-basecamp\.service; then try it again with: systemctl restart seawall-install-basecamp\.service/,
      );
      const warning = (await on.status()).health.find(({ key }) => key === `unit:${INSTALL}`);
      assert.match(JSON.stringify(warning), /basecamp isn't started without its plugins/);
    });

    test("leaves nothing of an installation that is ended by force", async () => {
      const place = join(machine.tree, "run/seawall-plugins-basecamp/generation/tmpfiles.conf");
      await on.output(["systemctl", "start", "--no-block", INSTALL]);
      for (let tries = 0; tries < 1000 && !existsSync(place); tries++) await wait(20);
      await on.output(["systemctl", "kill", "--kill-who=main", "--signal=KILL", INSTALL]);
      for (let tries = 0; tries < 1000 && (await state(INSTALL)) !== "failed"; tries++)
        await wait(20);
      assert.match(await saidBy(INSTALL), /status=9\/KILL/);
      const left = await machine.run(["sh", "-c", "ls /run /run/systemd/system | grep plugins"]);
      assert.equal(left.stdout, "");
    });

    test("installs it in the bot's wall before the bot is started, and once", async () => {
      pinPlugin(on, registry, registry.plugin.integrity);
      const began = await on.pidOf(BROKER);
      await on.output(["systemctl", "restart", INSTALL]);
      assert.equal(await state(INSTALL), "active", await saidBy(INSTALL));
      const installed = /installing @openclaw\/mattermost into basecamp/g;
      const times = (await saidBy(INSTALL)).match(installed)?.length;
      const { variables, names } = JSON.parse(
        await on.output(["cat", `${STATE}/bots/basecamp/tried.json`]),
      ) as { readonly variables: readonly string[]; readonly names: readonly string[] };
      assert.deepEqual(
        variables.filter((name) => /KEY|TOKEN|SECRET/.test(name)),
        [],
      );
      assert.deepEqual(names, ["ENOTFOUND", "done"]);
      await on.output(["systemctl", "start", GATEWAY]);
      assert.notEqual(await on.pidOf(BROKER), began);
      assert.match(
        await machine.ok(["audit", "verify", "--bot", "basecamp"]),
        /the record is whole/,
      );
      const left = await machine.run(["sh", "-c", "ls /run /run/systemd/system | grep plugins"]);
      assert.equal(left.stdout, "");
      await on.output(["systemctl", "restart", INSTALL]);
      assert.equal(await state(INSTALL), "active");
      assert.equal((await saidBy(INSTALL)).match(installed)?.length, times);
    });
  });
}
