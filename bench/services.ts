/**
 * What client commands cost beside the usual shape of such a proxy: socat that forks a shell script with jq for each
 * request on a Unix socket. Both make the same call to the same stand-in, which takes the real key only.
 *
 *     node bench/services.ts [--json] [--seconds N] [--rounds N]
 *
 * Calls per second and latency at 1 and 64 callers, by the same load on the same cores, in rounds of both in turn (aim:
 * 50 times as many); inside a wall, from the start of the client command to its exit, beside `true` (aim: 10 ms); and
 * what services that nobody calls take of the broker's process (aim: nothing). Medians. The broker, the load and the
 * stand-in share one process in the first, which counts against the broker.
 * Rivals: apt-get install socat jq curl.
 */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { RawHandle } from "../src/broker/listeners/Listeners.ts";
import { catalogueBots } from "../src/broker/testing/catalogueBots.ts";
import { canary, TestBroker } from "../src/broker/testing/TestBroker.ts";
import { readFrames, TestCommands } from "../src/broker/testing/TestCommands.ts";
import { compileWall, startWalled } from "../src/wall/index.ts";
import { BASE_MOUNTS, probeSubject, specFor, SUBJECT } from "../src/wall/testing/harness.ts";
import { median, residentBroker } from "./support/residentBroker.ts";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const LAUNCHER = fileURLToPath(new URL("../build/seawall-launch", import.meta.url));
const CLIENT = fileURLToPath(new URL("../build/seawall-client", import.meta.url));
const USES = 200;
const SERVICES = 20;

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

  const figures: Record<string, Compared> = {};
  for (const callers of [1, 64])
    figures[`${callers} callers`] = await compare(ours, shell, callers);
  socat.kill();
  const report = {
    figures,
    aims: { ratio: 50, clientMs: 10, idleServiceMB: 0 },
    clientMs: await measureClient(),
    memoryMB: await measureMemory(),
    rounds,
    seconds,
    machine: {
      cpu: cpus()[0]?.model,
      cpus: cpus().length,
      kernel: release(),
      node: process.version,
    },
  };
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : told(report));
} finally {
  await t.end();
  rmSync(folder, { recursive: true, force: true });
}

interface Compared {
  readonly seawall: Load;
  readonly shell: Load;
  readonly ratio: number;
}

/** Both in turn, round by round. */
async function compare(
  ours: () => Promise<boolean>,
  theirs: () => Promise<boolean>,
  callers: number,
): Promise<Compared> {
  await measure(ours, callers, 1);
  const of = { seawall: [] as Load[], shell: [] as Load[] };
  for (let round = 0; round < rounds; round += 1) {
    of.seawall.push(await measure(ours, callers, seconds));
    of.shell.push(await measure(theirs, callers, seconds));
  }
  const [seawall, shell] = [middle(of.seawall), middle(of.shell)];
  const ratios = of.seawall.map(
    (load, i) => load.callsPerSecond / (of.shell[i]?.callsPerSecond ?? 0),
  );
  return { seawall, shell, ratio: median(ratios) };
}

function middle(loads: readonly Load[]): Load {
  const of = (key: keyof Load): number => median(loads.map((load) => load[key]));
  return { callsPerSecond: of("callsPerSecond"), medianMs: of("medianMs"), p99Ms: of("p99Ms") };
}

function told(report: {
  readonly figures: Readonly<Record<string, Compared>>;
  readonly clientMs: Awaited<ReturnType<typeof measureClient>>;
  readonly memoryMB: Awaited<ReturnType<typeof measureMemory>>;
}): string {
  const load = ({ callsPerSecond, medianMs, p99Ms }: Load): string =>
    `${Math.round(callsPerSecond)} calls/s (median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms)`;
  const { clientMs, memoryMB } = report;
  return [
    ...Object.entries(report.figures).map(
      ([name, { seawall, shell, ratio }]) =>
        `${name}: ${load(seawall)}, shell ${load(shell)}: ${ratio.toFixed(1)} ×`,
    ),
    `client command, start to exit: ${clientMs.command.toFixed(2)} ms, beside true: ${clientMs.nothing.toFixed(2)} ms`,
    `the broker with one service ${memoryMB.one.toFixed(1)} MB, with ${SERVICES} ${memoryMB.many.toFixed(1)} MB`,
    "",
  ].join("\n");
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

/** MB of the broker's process for a bot with one service, and with many, that nobody calls. */
async function measureMemory(): Promise<{ readonly one: number; readonly many: number }> {
  const names = Array.from({ length: SERVICES }, (_, i) => `service${i}`);
  const { grants } = catalogueBots(
    {
      secrets: { key: { vault: "key" } },
      services: Object.fromEntries(
        names.map((name) => [
          name,
          {
            hosts: [`https://${name}.example.com`],
            credential: [{ header: "x-api-key" }],
            allow: ["GET /v1/**"],
          },
        ]),
      ),
      bots: {
        one: { service0: { secret: "key" } },
        many: Object.fromEntries(names.map((name) => [name, { secret: "key" }])),
      },
    },
    { host: "127.0.0.1", port: 9 },
  );
  const found = { one: [] as number[], many: [] as number[] };
  for (let round = 0; round < rounds; round += 1)
    for (const bot of ["one", "many"] as const)
      found[bot].push(await residentBroker(folder, [grants.get(bot) ?? []], {}));
  return { one: median(found.one), many: median(found.many) };
}
