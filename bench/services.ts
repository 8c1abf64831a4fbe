/**
 * What client commands cost beside the usual shape of such a proxy: socat that forks a shell script with jq for each
 * request on a Unix socket. Both make the same call to the same stand-in, which takes the real key only.
 *
 *     node bench/services.ts [--json] [--seconds N]
 *
 * Calls per second and latency at 1 and 64 callers, by the same load on the same two cores; then, inside a wall, from the
 * start of the client command to its exit, beside `true`; and what an idle bot's socket takes of the broker's memory.
 * The broker, the load and the stand-in share one process here, which counts against the broker.
 * Rivals: apt-get install socat jq curl.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { RawHandle } from "../src/broker/listeners/Listeners.ts";
import { catalogueBots } from "../src/broker/testing/catalogueBots.ts";
import { canary, TestBroker } from "../src/broker/testing/TestBroker.ts";
import { readFrames, TestCommands } from "../src/broker/testing/TestCommands.ts";
import { compileWall, startWalled } from "../src/wall/index.ts";
import { BASE_MOUNTS, probeSubject, specFor, SUBJECT } from "../src/wall/testing/harness.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "4" },
  },
});
const seconds = Number(options.seconds);
const LAUNCHER = fileURLToPath(new URL("../build/seawall-launch", import.meta.url));
const CLIENT = fileURLToPath(new URL("../build/seawall-client", import.meta.url));
const USES = 200;
const BOTS = 100;

interface Load {
  readonly callsPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const folder = mkdtempSync(join(tmpdir(), "seawall-bench-services-"));
const t = await TestBroker.start();
try {
  const key = canary("real-");
  t.secrets.set("sonarr", key);
  const server = http.createServer((request, response) => {
    if (request.headers["x-api-key"] === key) response.end('{"version":"4"}');
    else response.writeHead(401).end("{}");
  });
  const port = await t.plainServer(server);
  const { grants } = catalogueBots(
    {
      secrets: { sonarr: { vault: "sonarr" } },
      bots: { basecamp: { sonarr: { secret: "sonarr", url: "http://10.0.0.5:8989" }, bridge: {} } },
    },
    { host: "127.0.0.1", port },
  );
  await t.bot("basecamp", grants.get("basecamp") ?? []);
  const said = await t.configure();
  if (said?.type !== "configured") throw new Error(JSON.stringify(said));
  const commands = await TestCommands.open(t, "basecamp");
  const request = '{"v":1,"command":"sonarr","args":["status"],"body":false}\n';
  const ours = (): Promise<boolean> =>
    ask(commands.path, request).then((bytes) => readFrames(bytes).out.includes("version"));

  const script = join(folder, "handle");
  writeFileSync(
    script,
    `#!/bin/sh\nread -r request\npath=$(printf '%s' "$request" | jq -r .path)\ncase $path in /api/v3/*) ;; *) echo '{"error":"refused"}'; exit ;; esac\ncurl -s -H "x-api-key: ${key}" "http://127.0.0.1:${port}$path"\n`,
  );
  chmodSync(script, 0o755);
  const socket = join(folder, "sock");
  const socat = spawn(
    "socat",
    ["-t60", `UNIX-LISTEN:${socket},fork,backlog=256`, `EXEC:${script}`],
    {
      stdio: "ignore",
    },
  );
  const shell = (): Promise<boolean> =>
    ask(socket, '{"path":"/api/v3/system/status"}\n').then((bytes) => bytes.includes("version"));
  while (!(await shell().catch(() => false))) await new Promise((done) => setTimeout(done, 20));

  const figures: Record<string, { readonly seawall: Load; readonly shell: Load }> = {};
  for (const callers of [1, 64]) {
    await measure(ours, callers, 1);
    figures[`${callers} callers`] = {
      seawall: await measure(ours, callers, seconds),
      shell: await measure(shell, callers, seconds),
    };
  }
  socat.kill();
  const start = await measureClient();
  const memory = await measureMemory();
  const report = { figures, clientMs: start, idleKBPerBot: memory };
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    for (const [name, { seawall, shell: theirs }] of Object.entries(figures)) {
      const ratio = (seawall.callsPerSecond / theirs.callsPerSecond).toFixed(1);
      process.stdout.write(
        `${name}: ${Math.round(seawall.callsPerSecond)} calls/s (median ${seawall.medianMs.toFixed(2)} ms, p99 ${seawall.p99Ms.toFixed(2)}), shell ${Math.round(theirs.callsPerSecond)} (${theirs.medianMs.toFixed(1)}, ${theirs.p99Ms.toFixed(1)}): ${ratio} ×\n`,
      );
    }
    process.stdout.write(
      `client command, start to exit: ${start.command.toFixed(2)} ms, beside true: ${start.nothing.toFixed(2)} ms\n` +
        `an idle bot's commands: ${memory.toFixed(1)} KB of the broker\n`,
    );
  }
} finally {
  await t.end();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(
  once: () => Promise<boolean>,
  callers: number,
  forSeconds: number,
): Promise<Load> {
  const times: number[] = [];
  const began = performance.now();
  const until = began + forSeconds * 1000;
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const from = performance.now();
      if (!(await once())) throw new Error("a call was not answered");
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const took = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? 0;
  return { callsPerSecond: times.length / took, medianMs: at(0.5), p99Ms: at(0.99) };
}

function ask(path: string, text: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("error", reject);
    socket.once("end", () => socket.end());
    socket.once("close", () => {
      resolve(Buffer.concat(chunks));
    });
    socket.write(text);
  });
}

/** Inside a wall, by a Node that starts both programs in turn: medians, in milliseconds. */
async function measureClient(): Promise<{ readonly command: number; readonly nothing: number }> {
  const code = `const { spawn } = require("child_process");
    const once = (file, args) => new Promise((done) => {
      const from = performance.now();
      spawn(file, args, { stdio: "ignore" }).once("exit", () => done(performance.now() - from));
    });
    (async () => {
      const times = { command: [], nothing: [] };
      for (let i = 0; i < ${USES}; i++) {
        times.command.push(await once("/opt/sonarr", ["status"]));
        times.nothing.push(await once("/usr/bin/true", []));
      }
      const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
      console.log(JSON.stringify({ command: median(times.command), nothing: median(times.nothing) }));
    })();`;
  const spec = specFor(code, {
    mounts: [
      ...BASE_MOUNTS,
      { kind: "read", from: CLIENT, to: "/opt/sonarr" },
      { kind: "memory", to: "/run/broker", size: 4096 },
    ],
    execute: ["/opt/sonarr", "/usr/bin/true"],
    network: { tcp: [], udp: [], bind: [], socket: { folder: "/run/broker", name: "socket" } },
  });
  const walled = startWalled(compileWall(spec, await probeSubject()), {
    launcher: LAUNCHER,
    ...SUBJECT,
    stdout: "pipe",
    stderr: "pipe",
    onMessage: (message, handle) => {
      const { protocol } = message as { readonly protocol?: string };
      if (protocol !== "unix") return;
      const uid = SUBJECT.uid ?? process.getuid?.() ?? -1;
      void t.broker.receive(
        { type: "listener", bot: "basecamp", protocol, uid },
        handle as RawHandle,
      );
    },
  });
  let text = "";
  walled.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await walled.exited;
  return JSON.parse(text) as { command: number; nothing: number };
}

/** What a further bot's socket takes, in kilobytes of heap and outside of it. */
async function measureMemory(): Promise<number> {
  const now = (): number => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = now();
  for (let count = 0; count < BOTS; count += 1) await TestCommands.open(t, `bot${count}`);
  return Math.max(0, now() - before) / BOTS / 1024;
}
