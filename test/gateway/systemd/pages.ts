import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { findChromium } from "../../../src/services/index.ts";
import { SUPPORT, type ServiceMachine } from "../../support/ServiceMachine.ts";

const GATE = "seawall-gate-basecamp.service";

/** In place of the program that drives Chromium: what a page could do that has taken all of its wall over. */
const ATTACK = (port: number): string => `
import fs from "node:fs";
import net from "node:net";
import { spawnSync } from "node:child_process";
const attempt = (act) => { try { return String(act()); } catch (error) { return error.code; } };
const knock = (where, text = "") => new Promise((resolve) => {
  const socket = net.connect(where);
  let heard = "";
  socket.on("data", (chunk) => (heard += chunk));
  socket.on("connect", () => text && socket.write(text));
  socket.on("error", (error) => resolve(error.code));
  socket.on("close", () => resolve(heard === "" ? "closed" : heard));
  socket.setTimeout(4000, () => { socket.destroy(); resolve(heard || "silence"); });
});
const get = (target) => "GET " + target + " HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n";
const found = {
  metadata: await knock({ host: "169.254.169.254", port: 80 }, get("/")),
  machine: await knock({ host: "127.0.0.1", port: ${port} }, get("/")),
  proxyOfNoCall: await knock({ host: "127.0.0.1", port: 3128 }, get("http://pages.example.org:${port}/")),
  broker: await knock("/run/seawall/basecamp/control"),
  gate: await knock("/run/seawall/basecamp/gate/socket"),
  shadow: attempt(() => fs.readFileSync("/etc/shadow")),
  gateConfig: attempt(() => fs.readFileSync("/etc/seawall/current/private/basecamp/gate.json")),
  home: attempt(() => fs.readdirSync("/var/lib/seawall")),
  shell: spawnSync("/bin/sh", ["-c", "true"]).error?.code ?? "ran",
  written: attempt(() => (fs.copyFileSync("/opt/node/bin/node", "/tmp/node"), spawnSync("/tmp/node", ["-v"]).error?.code ?? "ran")),
  planted: attempt(() => fs.writeFileSync("/opt/seawall/x", "")),
  variables: Object.keys(process.env).sort().join(" "),
  others: fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length,
  root: process.getuid() === 0,
};
const control = new net.Socket({ fd: 3, readable: true, writable: true });
const say = (message) => control.write(JSON.stringify(message) + "\\n");
control.on("close", () => process.exit());
let held = "";
control.setEncoding("utf8").on("data", (text) => {
  held += text;
  const lines = held.split("\\n");
  held = lines.pop();
  for (const line of lines) {
    const order = JSON.parse(line);
    if (order.type === "hello") say({ type: "ready", version: "1" });
    if (order.type === "render") say({ type: "rendered", id: order.id, page: {
      url: order.request.url, status: 200, title: "", markdown: JSON.stringify(found), cut: false, complete: true } });
  }
});
`;

/** Pages by a real browser. Needs what stands in for OpenClaw in `updates`, and the names of `plugins`. */
export function testPages(on: ServiceMachine): void {
  const { machine } = on;
  const lacking = findChromium() === undefined && process.env["CI"] !== "true";

  describe("browser-fetch", { skip: lacking && "chromium is missing" }, () => {
    let port = 0;
    let url = "";
    const fetchPage = (address: string): ReturnType<ServiceMachine["fromInside"]> =>
      on.fromInside("/usr/bin/browser-fetch", "fetch", `url=${address}`);

    before(async () => {
      const site = machine.start(["node", join(SUPPORT, "machineSite.ts"), "/root"]);
      assert.ok(site.stdout !== null);
      await once(site.stdout, "data");
      port = JSON.parse(readFileSync(join(on.root, "site.json"), "utf8")) as number;
      url = `http://pages.example.org:${port}/`;
      const names = "pages.example.org other.example.org";
      await on.output(["sh", "-c", `echo 127.0.0.1 ${names} >> /etc/hosts`]);
      const grant = {
        allowHosts: [`pages.example.org:${port}`, "169.254.169.254"],
        dial: { networks: ["127.0.0.0/8"] },
      };
      on.declare({ exec: { allow: ["browser-fetch", "ls"] } }, {}, {}, { "browser-fetch": grant });
      await machine.ok(["switch", "--yes"]);
    });

    test("a page is read by a browser that is started for it; what may not be opened isn't", async () => {
      // Nothing of it runs before.
      assert.equal(await on.pidOf(GATE), "0");
      const read = await fetchPage(url);
      assert.equal(
        read.status,
        0,
        read.stderr +
          read.stdout +
          (await on.output(["journalctl", "-b", "-o", "cat", "-n", "40"])),
      );
      const page = JSON.parse(read.stdout) as {
        readonly markdown: string;
        readonly refused: readonly { readonly url: string; readonly code: string }[];
      };
      assert.match(page.markdown, /The tide is out/);
      const refused = new Map(page.refused.map((each) => [each.url, each.code]));
      assert.equal(refused.get("http://other.example.org/"), "host-not-granted");
      assert.equal(refused.get("http://169.254.169.254/latest/meta-data/"), "address-refused");
      for (const [address, why] of [
        ["file:///etc/passwd", /scheme/],
        ["http://169.254.169.254/", /address/],
        ["http://other.example.org/", /host/],
      ] as const) {
        const { status, stderr, stdout } = await fetchPage(address);
        assert.notEqual(status, 0, stdout);
        assert.match(stderr + stdout, why);
      }
    });

    test("nobody but the bot's broker asks the gate, and nobody but the gate has a browser started", async () => {
      const connect = (path: string): string =>
        `require("net").connect("/run/seawall/basecamp/${path}/socket")
        .once("connect", () => { console.log("connected"); process.exit(); }).once("error", (e) => console.log(e.code));`;
      const as = async (user: string, path: string): Promise<string> => {
        const uid = await on.output(["id", "-u", user]);
        return on.output([
          "setpriv",
          `--reuid=${uid}`,
          "--clear-groups",
          "node",
          "-e",
          connect(path),
        ]);
      };
      assert.equal(await as("seawall_basecamp", "gate"), "connected");
      assert.equal(await as("seawall-basecamp", "gate"), "EACCES");
      assert.equal(await as("seawall_web_basecamp", "gate"), "EACCES");
      assert.equal(await as("seawall_basecamp", "browser"), "EACCES");
      // The bot itself doesn't even see them.
      assert.notEqual((await on.fromInside("/usr/bin/ls", "/run/seawall")).status, 0);
      const pid = await on.pidOf(GATE);
      const lines = await on.output(["cat", `/proc/${pid}/status`]);
      assert.match(lines, /CapBnd:\s0+\n/);
      assert.match(lines, /Seccomp:\s2/);
    });

    test("the browser ends with the gate, and both come again with the next page", async () => {
      const browsers = [
        "systemctl",
        "list-units",
        "--no-legend",
        "--plain",
        "seawall-browser-basecamp@*",
      ];
      assert.match(await on.output(browsers), /running/);
      await on.output(["systemctl", "kill", "--signal=KILL", GATE]);
      while ((await on.output(browsers)) !== "");
      const read = await fetchPage(url);
      assert.equal(read.status, 0, read.stderr);
    });

    test("a browser that was taken over has the gate, and through it only what a running call may load", async () => {
      const folder = join(on.root, "attack/src/services/browser/inside");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "main.ts"), ATTACK(port));
      writeFileSync(join(on.root, "attack/package.json"), '{ "type": "module" }');
      const dropIn = "/run/systemd/system/seawall-browser-basecamp@.service.d";
      await on.output(["mkdir", "-p", dropIn]);
      writeFileSync(
        join(machine.tree, dropIn, "attack.conf"),
        "[Service]\nBindReadOnlyPaths=/root/attack/src:/opt/seawall/src\n",
      );
      await on.output(["systemctl", "daemon-reload"]);
      await on.output(["systemctl", "stop", GATE]);
      const read = await fetchPage(url);
      assert.equal(
        read.status,
        0,
        read.stderr + (await on.output(["journalctl", "-b", "-o", "cat", "-n", "40"])),
      );
      const { markdown } = JSON.parse(read.stdout) as { readonly markdown: string };
      const {
        others,
        metadata,
        machine: own,
        proxyOfNoCall,
        written,
        shell,
        home,
        ...found
      } = JSON.parse(markdown) as Readonly<Record<string, unknown>>;
      assert.ok(Number(others) <= 3, markdown);
      // By Landlock before by the network, where the kernel has it.
      for (const each of [metadata, own]) assert.match(String(each), /^(?:EACCES|ECONNREFUSED)$/);
      assert.match(String(proxyOfNoCall), /^(?:closed|ECONNRESET)$/);
      assert.match(String(written), /^(?:EACCES|EPERM)$/);
      for (const each of [shell, home]) assert.match(String(each), /^(?:EACCES|ENOENT)$/);
      assert.deepEqual(found, {
        broker: "ENOENT",
        gate: "ENOENT",
        shadow: "ENOENT",
        gateConfig: "ENOENT",
        planted: "EROFS",
        variables: "HOME LANG PATH TZ",
        root: false,
      });
      // Control: from outside of the unit the same site answers.
      const answer = `fetch("${url}").then((r) => console.log(r.status))`;
      assert.equal(await on.output(["node", "-e", answer]), "200");
      await on.output(["rm", "-r", dropIn]);
      await on.output(["systemctl", "daemon-reload"]);
      on.declare();
      await machine.ok(["switch", "--yes"]);
      assert.equal((await machine.run(["systemctl", "is-active", GATE])).stdout.trim(), "inactive");
    });
  });
}
