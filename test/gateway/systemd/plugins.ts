import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { GATEWAY, type ServiceMachine } from "../../support/ServiceMachine.ts";

export interface Registry {
  readonly url: string;
  readonly plugin: { readonly name: string; readonly version: string; readonly integrity: string };
}

/** Pins the plugin for the version of OpenClaw that runs. */
export function pinPlugin(
  on: ServiceMachine,
  { plugin: { name, version } }: Registry,
  integrity: string,
): void {
  const file = join(on.root, "pins", on.openclaw, "pin.json");
  const text = JSON.parse(readFileSync(file, "utf8")) as object;
  const plugins = { [name]: { id: "mattermost", version, integrity } };
  writeFileSync(file, JSON.stringify({ ...text, plugins }));
}

/** A channel's plugin from npm. Needs what stands in for OpenClaw and the registry in `updates`. */
export function testPlugins(on: ServiceMachine): void {
  const { machine } = on;

  describe("a channel's plugin", () => {
    let registry: Registry;
    const lock =
      "/var/lib/seawall/system/bots/basecamp/state/npm/projects/plugin/package-lock.json";

    before(async () => {
      registry = JSON.parse(readFileSync(join(on.root, "registry.json"), "utf8")) as Registry;
      await on.output([
        "sh",
        "-c",
        "cat /root/registry-ca.pem >> /etc/ssl/certs/ca-certificates.crt && echo 127.0.0.1 registry.example.org >> /etc/hosts",
      ]);
      writeFileSync(join(on.root, ".npmrc"), `registry=${registry.url}\n`);
    });

    const pin = (integrity: string): void => pinPlugin(on, registry, integrity);

    function declareChannel(grant: object = {}): void {
      const mattermost = {
        secret: "anthropic",
        url: "https://chat.example.com",
        allowFrom: ["owner"],
        ...grant,
      };
      on.declare({}, {}, {}, { mattermost });
    }

    test("that can't be had as it is pinned puts nothing in force", async () => {
      const inForce = on.current();
      pin(`sha512-${Buffer.alloc(64).toString("base64")}`);
      declareChannel();
      const { code, stderr } = await machine.seawall(["switch", "--yes"]);
      assert.equal(code, 5, stderr);
      assert.match(
        stderr,
        /plugin "@openclaw\/mattermost" could not be installed into bot "basecamp"\n {2}hint: look at: journalctl -b -u seawall-plugins-gateway-basecamp/,
      );
      assert.equal(on.current(), inForce);
      assert.match(await machine.ok(["status"]), /basecamp {2}answers/);
    });

    test("is installed in the bot's wall, with the registry as all there is, and once", async () => {
      pin(registry.plugin.integrity);
      declareChannel();
      const { code, stderr } = await machine.seawall(["switch", "--yes"]);
      assert.equal(
        code,
        0,
        stderr + (await on.output(["journalctl", "-b", "-o", "cat", "-n", "40"])),
      );
      assert.match(stderr, /installing @openclaw\/mattermost into basecamp/);
      assert.match(await on.output(["cat", lock]), /"node_modules\/@openclaw\/mattermost"/);
      const { variables, names, ...tried } = JSON.parse(
        await on.output(["cat", "/var/lib/seawall/system/bots/basecamp/tried.json"]),
      ) as { readonly variables: readonly string[]; readonly names: readonly string[] };
      assert.deepEqual(
        variables.filter((name) => /KEY|TOKEN|SECRET/.test(name)),
        [],
      );
      // The second is the control.
      assert.deepEqual(names, ["ENOTFOUND", "done"]);
      assert.deepEqual(tried, {
        address: "EACCES",
        configuration: "EROFS",
        files: ["ENOENT", "ENOENT", "ENOENT"],
        execution: "EACCES",
      });
      assert.match(
        await machine.ok(["audit", "query", "--host", "registry.example.org"]),
        /registry\.example\.org/,
      );
      assert.match(await machine.ok(["audit", "verify"]), /the record is whole/);
      const left = await machine.run(["sh", "-c", "ls /run /run/systemd/system | grep seawall-"]);
      assert.equal(left.stdout, "");
      declareChannel({ allowFrom: ["owner", "another"] });
      assert.doesNotMatch((await machine.seawall(["switch", "--yes"])).stderr, /installing/);
    });

    test("is installed again where the bot took it away, or where only the bot says that it is there", async () => {
      const marks = "/var/lib/seawall/system/plugins/basecamp.json";
      assert.equal(await on.output(["stat", "-c", "%a %U", marks]), "600 root");
      for (const path of [lock, marks]) {
        await on.output(["rm", path]);
        declareChannel({ allowFrom: ["owner", path === lock ? "first" : "second"] });
        const { code, stderr } = await machine.seawall(["switch", "--yes"]);
        assert.equal(code, 0, stderr);
        assert.match(stderr, /installing @openclaw\/mattermost into basecamp/);
      }
      assert.notEqual(await on.pidOf(GATEWAY), "0");
    });
  });
}
