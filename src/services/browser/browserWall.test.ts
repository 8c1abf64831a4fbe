import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { outside, program, start } from "../../wall/testing/harness.ts";
import { NODE } from "../../wall/testing/reachable.ts";
import { BROWSER_LIMITS, browserWall, findChromium } from "./browserWall.ts";
import { BotGate } from "./gate/BotGate.ts";
import { CONTROL_PORT, PROXY_PORT } from "./messages.ts";
import { lackingBrowser, probeSubject } from "./testing/TestBrowser.ts";

const host = await probeSubject();

/** As a page does that has taken the browser over: raw connections, files, programs. */
const ATTACK = (port: number): string => `
  const net = await import("node:net");
  const fs = await import("node:fs");
  const dgram = await import("node:dgram");
  const { spawnSync } = await import("node:child_process");
  const knock = (host, port, text = "") => new Promise((resolve) => {
    const socket = net.connect({ host, port });
    let heard = "";
    socket.on("data", (chunk) => (heard += chunk));
    socket.on("connect", () => text && socket.write(text));
    socket.on("error", (error) => resolve(error.code));
    socket.on("close", () => resolve(heard === "" ? "closed" : heard.split("\\r\\n")[0]));
    socket.setTimeout(5000, () => { socket.destroy(); resolve(heard || "silence"); });
  });
  const attempt = (act) => { try { return act(); } catch (error) { return error.code; } };
  const control = net.connect({ host: "127.0.0.1", port: ${CONTROL_PORT} });
  const hello = await new Promise((resolve) => control.once("data", resolve));
  control.unref();
  const ask = (target) => \`GET \${target} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\`;
  const found = {
    hello: JSON.parse(String(hello)).type,
    controlAgain: await knock("127.0.0.1", ${CONTROL_PORT}, "{}\\n"),
    controlElsewhere: await knock("9.9.9.9", ${CONTROL_PORT}, "{}\\n"),
    proxyOfNoCall: await knock("127.0.0.1", ${PROXY_PORT}, ask("http://127.0.0.1:${port}/")),
    proxyElsewhere: await knock("127.9.8.7", ${PROXY_PORT}, ask("http://127.0.0.1:${port}/")),
    proxyConnect: await knock("127.9.8.7", ${PROXY_PORT}, "CONNECT 127.0.0.1:${port} HTTP/1.1\\r\\n\\r\\n"),
    hostLoopback: await knock("127.0.0.1", ${port}, ask("/")),
    metadata: await knock("169.254.169.254", 80, ask("/")),
    public: await knock("9.9.9.9", 443),
    ipv6: await knock("::1", ${PROXY_PORT}, ask("http://127.0.0.1:${port}/")),
    listen: await new Promise((resolve) => {
      const server = net.createServer().listen(8080, () => server.close(() => resolve("listened")));
      server.on("error", (error) => resolve(error.code));
    }),
    shadow: attempt(() => fs.readFileSync("/etc/shadow", "utf8").length),
    root: attempt(() => fs.readdirSync("/").length),
    home: attempt(() => fs.readdirSync("/home").length),
    shell: spawnSync("/bin/sh", ["-c", "echo hi"]).error?.code ?? "ran",
    written: attempt(() => (fs.copyFileSync("/opt/node/bin/node", "/tmp/node"), spawnSync("/tmp/node", ["-v"]).error?.code ?? "ran")),
    planted: attempt(() => fs.writeFileSync("/opt/seawall/x", "")),
    others: fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).length,
    environment: Object.keys(process.env).sort().join(" "),
  };
  return found;`;

test(
  "a browser that was taken over has the gate, and through it only what a running call may load",
  { skip: lackingBrowser(host) },
  async (t) => {
    const victim = createServer((socket) => socket.end("HTTP/1.1 200 victim\r\n\r\n"));
    victim.listen(0, "127.0.0.1");
    await once(victim, "listening");
    t.after(() => victim.close());
    const { port } = victim.address() as AddressInfo;
    const gate = new BotGate({
      bot: "b",
      rules: { hosts: ["*", `*:${port}`], networks: ["127.0.0.0/8"], seconds: 5, bytes: 1e6 },
      certificate: { chain: "", key: "" },
      spki: "",
      executable: "",
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
      startBrowser: () => undefined,
      stopBrowser: () => undefined,
    });
    t.after(() => gate.close());
    const spec = browserWall({
      node: NODE,
      chromium: findChromium() ?? "",
      program: "/usr/share/fonts",
      limits: BROWSER_LIMITS,
    });
    const command: [string, ...string[]] = ["/opt/node/bin/node", "-e", program(ATTACK(port))];
    const started = start(t, host, { ...spec, command }, (message, handle) => {
      const said = message as { port: number; family: 4 | 6 };
      gate.addListener(said.port, said.family, handle as { close(): void });
    });
    await started.finished;
    assert.notEqual(started.output(), "", started.errors());
    const outcome = JSON.parse(started.output()) as { value?: Record<string, unknown> };
    const value = outcome.value ?? {};
    const others = Number(value["others"]);
    assert.ok(others <= 3, started.output());
    const held: Record<string, unknown> = {
      hello: "hello",
      controlAgain: "ECONNREFUSED",
      controlElsewhere: "ECONNREFUSED",
      root: "EACCES",
      home: "ENOENT",
      shadow: "ENOENT",
      shell: "ENOENT",
      environment: "HOME LANG PATH TZ",
    };
    for (const [name, expected] of Object.entries(held))
      assert.deepEqual(value[name], expected, `${name}: ${started.output()}`);
    // Closed before anything is said; what was written and never read makes that a reset.
    for (const name of ["proxyOfNoCall", "proxyElsewhere", "proxyConnect"])
      assert.match(String(value[name]), /^(?:closed|ECONNRESET)$/, name);
    for (const name of ["hostLoopback", "metadata", "public", "ipv6", "listen"])
      assert.match(String(value[name]), /^(?:ECONNREFUSED|EACCES|closed|ECONNRESET)$/, name);
    assert.match(String(value["written"]), /^(?:EACCES|EPERM)$/);
    assert.match(String(value["planted"]), /^(?:EROFS|EACCES)$/);

    // The control: without the wall the same connection reaches the victim.
    const reached = await outside(
      `const net = await import("node:net");
       return new Promise((resolve) => net.connect(${port}, "127.0.0.1").on("data", (d) => resolve(String(d).split("\\r\\n")[0])))`,
    );
    assert.equal(reached.value, "HTTP/1.1 200 victim");
  },
);
