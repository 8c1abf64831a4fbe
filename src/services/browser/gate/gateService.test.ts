import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { renameSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../../test/support/temporaryFolder.ts";
import { ensureAuthority, issueLeaf } from "../../../authority/index.ts";
import { TestSite } from "../testing/TestSite.ts";

/** Sockets as systemd hands them over, with the process that has them. */
const START = 'LISTEN_PID=$$ exec "$0" "$1"';

interface Gate {
  readonly process: ChildProcess;
  /** Where a broker asks. */
  readonly call: string;
  readonly proxyPort: number;
}

async function startGate(t: TestContext, folder: string, rules: object): Promise<Gate> {
  const authority = await ensureAuthority(join(folder, "authority"));
  const { chain, key } = await issueLeaf(authority, ["browser.seawall.invalid"]);
  const config = join(folder, "gate.json");
  const browser = join(folder, "browser");
  const certificate = { chain, key };
  writeFileSync(
    config,
    JSON.stringify({ version: 1, bot: "b", rules, certificate, executable: "/x", browser }),
  );
  const call = join(folder, "call");
  const [calls, proxy] = [createServer(), createServer()];
  calls.listen(`${call}.new`);
  // Each call has an address of its own, of all that are local.
  proxy.listen(0, "0.0.0.0");
  await Promise.all([once(calls, "listening"), once(proxy, "listening")]);
  // This process lets go of it below, and must not take its file along.
  renameSync(`${call}.new`, call);
  const { port: proxyPort } = proxy.address() as AddressInfo;
  const descriptors = [calls, proxy].map(
    (server) => (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd,
  );
  const process_ = spawn(
    "sh",
    ["-c", START, process.execPath, join(import.meta.dirname, "serviceMain.ts")],
    {
      stdio: ["ignore", "ignore", "inherit", ...descriptors, "pipe"],
      env: { LISTEN_FDS: "2", LISTEN_FDNAMES: "call:proxy", SEAWALL_GATE_CONFIG: config },
    },
  );
  for (const server of [calls, proxy]) server.close();
  t.after(async () => {
    if (process_.exitCode !== null || process_.signalCode !== null) return;
    process_.kill("SIGKILL");
    await once(process_, "close");
  });
  return { process: process_, call, proxyPort };
}

/** What a broker gets for one request. */
async function ask(call: string, url: string): Promise<Record<string, unknown>> {
  const socket = connect({ path: call, allowHalfOpen: true });
  socket.end(`${JSON.stringify({ operation: "fetch", url })}\n`);
  return JSON.parse(await text(socket)) as Record<string, unknown>;
}

/** In place of the browser's unit: it takes orders and opens pages by the proxy. */
async function standIn(folder: string, onLine: (line: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onLine(socket);
  });
  server.listen(join(folder, "browser"));
  await once(server, "listening");
  return server;
}

function obey(line: Socket, proxyPort: number): void {
  line.setEncoding("utf8").on("data", (said: string) => {
    for (const each of said.trim().split("\n")) {
      const order = JSON.parse(each) as { type: string; id: number; request: { url: string } };
      const say = (message: object): void => void line.write(`${JSON.stringify(message)}\n`);
      if (order.type === "hello") say({ type: "ready", version: "1" });
      if (order.type !== "render") continue;
      const { id, request } = order as typeof order & { readonly address: string };
      get(
        {
          host: (order as unknown as { readonly address: string }).address,
          port: proxyPort,
          path: request.url,
          headers: { host: new URL(request.url).host },
          agent: false,
        },
        (response) => {
          void text(response).then((markdown) =>
            say({
              type: "rendered",
              id,
              page: {
                url: request.url,
                status: response.statusCode ?? 0,
                title: "",
                markdown,
                cut: false,
                complete: true,
              },
            }),
          );
        },
      ).on("error", () => line.destroy());
    }
  });
}

test("the gate under systemd starts a browser by a connection, and ends when the browser has to", async (t) => {
  const folder = temporaryFolder(t);
  const site = await TestSite.start("127.0.0.1");
  t.after(() => site.stop());
  site.pages.set("/tide", (_request, response) => response.end("out"));
  const host = `localhost:${site.port}`;
  const rules = { hosts: [host], networks: ["127.0.0.0/8"], seconds: 30, bytes: 1e6 };
  const gate = await startGate(t, folder, rules);
  const lines: Socket[] = [];
  let refused = 0;
  const browser = await standIn(folder, (line) => {
    // One that is still about to end has the place (systemd.socket(5), MaxConnections=).
    if (refused++ === 0) line.destroy();
    else {
      lines.push(line);
      obey(line, gate.proxyPort);
    }
  });
  t.after(() => browser.close());

  const page = await ask(gate.call, `http://${host}/tide`);
  assert.equal(page["end"], "done", JSON.stringify(page));
  assert.equal((page["page"] as { readonly markdown: string }).markdown, "out");
  assert.equal((await ask(gate.call, "http://127.0.0.1:1/"))["end"], "refused");
  assert.equal((await ask(gate.call, "file:///etc/passwd"))["code"], "scheme");
  assert.equal(lines.length, 1);

  // The browser goes while a page is being read: who asked is told, and the gate ends.
  site.pages.set("/slow", () => lines[0]?.destroy());
  const ended = once(gate.process, "close");
  const slow = await ask(gate.call, `http://${host}/slow`);
  assert.equal(slow["end"], "failed");
  assert.deepEqual(await ended, [0, null]);
});

test("the gate under systemd says so where no browser can be started, and ends", async (t) => {
  const folder = temporaryFolder(t);
  const rules = { hosts: ["localhost:1"], networks: ["127.0.0.0/8"], seconds: 30, bytes: 1e6 };
  const gate = await startGate(t, folder, rules);
  const ended = once(gate.process, "close");
  const reply = await ask(gate.call, "http://localhost:1/");
  assert.deepEqual([reply["end"], reply["code"]], ["failed", "no-browser"]);
  assert.deepEqual(await ended, [0, null]);
});
