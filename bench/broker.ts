/**
 * What the broker costs beside other proxies that are set up for the same job: the phantom in a
 * header is checked and swapped for the secret, connections upstream are kept, TLS is verified. The
 * broker's record and redaction are on, as always; the others write no log.
 *
 *     node bench/broker.ts [--json] [--rounds N] [--seconds N]
 *
 * Each contender has one core for itself; load and upstream share the other. Rounds are interleaved,
 * figures are medians, ratios are ours divided by theirs. Rivals that aren't installed are left out:
 * apt-get install nginx-light haproxy caddy mitmproxy wrk socat jq curl.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeAuthority } from "../src/broker/testing/certificates.ts";
import { canary } from "../src/broker/testing/TestBroker.ts";
import { MissingError, type Job, type RunningContender } from "./broker/Contender.ts";
import { measureLatency, measureThroughput, openStream, PATH } from "./broker/load.ts";
import { LOAD_CORE, pin, processorSeconds, residentMB } from "./broker/processes.ts";
import { RIVALS } from "./broker/rivals.ts";
import { startSeawall } from "./broker/seawall.ts";
import { measureShellProxy } from "./broker/shellProxy.ts";
import { startUpstream } from "./broker/upstream.ts";

const OURS = "seawall";
const SLOW_STREAMS = 1000;
const CHUNKS = 20_000;
const WARM_UP_SECONDS = 5;

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const folder = mkdtempSync(join(tmpdir(), "seawall-bench-broker-"));
pin(process.pid, LOAD_CORE);

interface Figures {
  callsPerSecond?: number;
  failed?: number;
  idleMB?: number;
  loadMB?: number;
  medianMs?: number;
  p99Ms?: number;
  addedMedianMs?: number;
  addedP99Ms?: number;
  addedFirstByteMs?: number;
  microsecondsPerChunk?: number;
  streamsMB?: number;
}

const missing: string[] = [];
try {
  const authority = await makeAuthority("bench");
  const upstreamAuthority = await makeAuthority("bench upstream");
  const secret = canary("sk-real-");
  const upstream = await startUpstream(
    folder,
    secret,
    await upstreamAuthority.issue(["127.0.0.1", ...namesOfSeawall()]),
  );
  try {
    const job = {
      folder,
      phantom: canary("sk-phantom-"),
      secret,
      certificate: await authority.issue(["127.0.0.1"]),
      upstreamCa: upstreamAuthority.ca,
    };
    const plain = await measure({ ...job, tls: false, upstream });
    const tls = await measure({
      ...job,
      tls: true,
      upstream: { ...upstream, streams: upstream.streamsTls },
    });
    let shell: number | undefined;
    try {
      shell = await measureShellProxy({
        folder,
        upstream: upstream.plain,
        secret,
        parallel: 64,
        seconds,
      });
    } catch (error) {
      if (!(error instanceof MissingError)) throw error;
      missing.push("shell (socat, jq, curl)");
    }
    report(plain, tls, shell);
  } finally {
    await upstream.stop();
  }

  async function measure(given: Job): Promise<Map<string, Figures>> {
    const contenders: [string, () => Promise<RunningContender>][] = [
      [OURS, () => startSeawall(given, authority)],
      ...RIVALS.map((rival): [string, () => Promise<RunningContender>] => [
        rival.name,
        () => rival.start(given),
      ]),
    ];
    const samples = new Map<string, { [Key in keyof Figures]: number[] }>();
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, start] of contenders) {
        let target: RunningContender;
        try {
          target = await start();
        } catch (error) {
          if (!(error instanceof MissingError)) throw error;
          if (round === 0) missing.push(`${name}${given.tls ? " with TLS" : ""}`);
          continue;
        }
        try {
          const into = samples.get(name) ?? {};
          samples.set(name, into);
          const figures = await measureOne(target, given, round === 0);
          for (const [key, value] of Object.entries(figures) as [keyof Figures, number][]) {
            (into[key] ??= []).push(value);
          }
        } finally {
          await target.stop();
        }
      }
    }
    return new Map(
      [...samples].map(([name, lists]) => [
        name,
        Object.fromEntries(Object.entries(lists).map(([key, list]) => [key, median(list ?? [])])),
      ]),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One contender, one round. */
async function measureOne(target: RunningContender, job: Job, first: boolean): Promise<Figures> {
  const figures: Figures = {};
  // Calls before anything is measured, as any proxy that runs has had: compilers just in time need them.
  await measureThroughput(target, { tls: job.tls, seconds: WARM_UP_SECONDS, folder });
  figures.idleMB = residentMB(target.pids());
  const load = measureThroughput(target, { tls: job.tls, seconds, folder });
  await new Promise((resolve) => setTimeout(resolve, seconds * 800));
  figures.loadMB = residentMB(target.pids());
  const { callsPerSecond, failed } = await load;
  figures.callsPerSecond = callsPerSecond;
  figures.failed = failed;

  const calls = 1500;
  const direct = await measureLatency(directTo(job), { tls: job.tls, calls });
  const through = await measureLatency(target, { tls: job.tls, calls });
  figures.medianMs = quantile(through, 0.5);
  figures.p99Ms = quantile(through, 0.99);
  figures.addedMedianMs = figures.medianMs - quantile(direct, 0.5);
  figures.addedP99Ms = figures.p99Ms - quantile(direct, 0.99);

  const [stream] = target.streams;
  if (stream === undefined) return figures;
  const firstBytes = async (
    to: typeof stream,
    headers: Readonly<Record<string, string>>,
  ): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < 100; index += 1) {
      const one = await openStream(to, {
        tls: job.tls,
        headers,
        target: `${to.prefix ?? ""}${PATH}?chunks=1`,
      });
      times.push(await one.first);
      one.socket.destroy();
    }
    return quantile(times.slice(20), 0.5);
  };
  const straight = { ...stream, address: "127.0.0.1", port: job.upstream.streams, prefix: "" };
  figures.addedFirstByteMs =
    (await firstBytes(stream, stream.headers)) - (await firstBytes(straight, stream.headers));

  const before = processorSeconds(target.pids());
  const long = await openStream(stream, {
    tls: job.tls,
    headers: stream.headers,
    target: `${stream.prefix ?? ""}${PATH}?chunks=${CHUNKS}`,
  });
  await long.ended;
  long.socket.destroy();
  figures.microsecondsPerChunk = ((processorSeconds(target.pids()) - before) / CHUNKS) * 1e6;

  if (first) figures.streamsMB = await slowStreams(target, job);
  return figures;
}

/** Memory with a thousand streams open, each with an event a second. */
async function slowStreams(target: RunningContender, job: Job): Promise<number> {
  const open: Awaited<ReturnType<typeof openStream>>[] = [];
  for (let index = 0; index < SLOW_STREAMS; index += 1) {
    const at = target.streams[index % target.streams.length];
    if (at === undefined) break;
    open.push(
      await openStream(at, {
        tls: job.tls,
        headers: at.headers,
        target: `${at.prefix ?? ""}${PATH}?chunks=1000&every=1000`,
      }),
    );
  }
  await Promise.all(open.map(({ first }) => first));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const memory = residentMB(target.pids());
  for (const { socket } of open) socket.destroy();
  return memory;
}

function directTo(job: Job): RunningContender {
  const port = job.tls ? job.upstream.tls : job.upstream.plain;
  return {
    pids: () => [],
    address: "127.0.0.1",
    port,
    headers: { host: `127.0.0.1:${port}`, "x-api-key": job.secret },
    streams: [],
    stop: () => Promise.resolve(),
  };
}

/** The addresses that the broker's certificate checks hold the upstream to. */
function namesOfSeawall(): string[] {
  return Array.from({ length: 12 }, (_none, index) => `127.77.0.${index + 1}`);
}

function report(
  plain: ReadonlyMap<string, Figures>,
  tls: ReadonlyMap<string, Figures>,
  shell: number | undefined,
): void {
  const ratios = (of: ReadonlyMap<string, Figures>): Record<string, number> => {
    const ours = of.get(OURS)?.callsPerSecond ?? 0;
    return Object.fromEntries(
      [...of]
        .filter(([name]) => name !== OURS)
        .map(([name, { callsPerSecond = 0 }]) => [name, round2(ours / callsPerSecond)]),
    );
  };
  const shellRatio: Record<string, number> =
    shell === undefined ? {} : { shell: round2((plain.get(OURS)?.callsPerSecond ?? 0) / shell) };
  const result = {
    ratios: { ...ratios(plain), ...shellRatio },
    ratiosWithTls: ratios(tls),
    plain: Object.fromEntries([...plain].map(([name, figures]) => [name, rounded(figures)])),
    tls: Object.fromEntries([...tls].map(([name, figures]) => [name, rounded(figures)])),
    ...(shell === undefined ? {} : { shell: { callsPerSecond: round2(shell) } }),
    missing,
    machine: {
      processor: /model name\s*:\s*(.*)/.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "",
      cores: cpus().length,
      node: process.version,
    },
    rounds,
    seconds,
  };
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  for (const [title, of, ratio] of [
    ["plain HTTP on both sides", plain, result.ratios],
    ["TLS on both sides", tls, result.ratiosWithTls],
  ] as const) {
    process.stdout.write(`\n${title}\n`);
    process.stdout.write(
      `${"".padEnd(18)}${["calls/s at 64", "ratio", "added ms", "added p99", "first byte", "µs/chunk", "idle MB", "load MB", "1000 streams MB"].map((head) => head.padStart(16)).join("")}\n`,
    );
    for (const [name, figures] of of) {
      const cells = [
        figures.callsPerSecond,
        ratio[name],
        figures.addedMedianMs,
        figures.addedP99Ms,
        figures.addedFirstByteMs,
        figures.microsecondsPerChunk,
        figures.idleMB,
        figures.loadMB,
        figures.streamsMB,
      ];
      process.stdout.write(
        `${name.padEnd(18)}${cells.map((cell) => (cell === undefined ? "" : String(round2(cell))).padStart(16)).join("")}\n`,
      );
      if ((figures.failed ?? 0) > 0)
        process.stdout.write(`${"".padEnd(18)}${figures.failed} calls failed\n`);
    }
  }
  if (shell !== undefined)
    process.stdout.write(
      `\nshell proxy (socat, jq, curl) ${round2(shell)} calls/s, ratio ${shellRatio["shell"]}\n`,
    );
  if (missing.length > 0) process.stdout.write(`not measured: ${missing.join(", ")}\n`);
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [key, round2(value as number)]),
  );
}

function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
