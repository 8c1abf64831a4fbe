import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditRecord } from "../../src/broker/audit/AuditRecord.ts";
import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import { canary } from "../../src/broker/testing/TestBroker.ts";
import { makeSigningKey, openReader, publicKeyOf, recordNames } from "../../src/record/index.ts";
import { createVault, openVault, SecretValue } from "../../src/secrets/index.ts";
import { Random } from "../fuzz/Random.ts";
import { Clients } from "./clients.ts";
import { makeDeployment, nameOf, type HostName } from "./deployment.ts";
import { judge } from "./judge.ts";
import { Ledger } from "./Ledger.ts";
import { judgeMemory, median, type MemoryReport } from "./memory.ts";
import { Outside } from "./Outside.ts";
import { SoakBroker } from "./SoakBroker.ts";
import { LANES, type Traffic } from "./traffic.ts";

export interface SoakReport {
  readonly ok: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly machine: string;
  /** Calls that clients made, by what they were. */
  readonly made: Readonly<Record<string, number>>;
  readonly tunnels: number;
  readonly noted: number;
  /** Of the record: lines by their outcome, files, and what `verify` says. */
  readonly record: {
    readonly lines: number;
    readonly checkpoints: number;
    readonly files: number;
    readonly outcomes: Readonly<Record<string, number>>;
    readonly whole: boolean;
  };
  readonly kills: number;
  /** Milliseconds from a kill until the broker answered again: the median and the longest. */
  readonly downMs: readonly [median: number, longest: number];
  readonly configurations: number;
  readonly rotations: number;
  readonly memory: MemoryReport;
  readonly descriptors: { readonly idle: number; readonly end: number };
  readonly faults: readonly string[];
}

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Told now and then how it goes. */
  onProgress?(text: string): void;
}

/** This part of the time the broker is killed in; the rest is one life, for memory to be looked at. */
const KILLED_PART = 0.35;
/** Quiet looks at memory and descriptors in that one life. */
const LOOKS = 12;
/** Kills come this far apart, at the least and at random more. */
const KILL_EVERY_MS = [2500, 40_000] as const;
const SAMPLE_MS = 500;
/** How long descriptors may take to be let go of once nobody wants anything. */
const SETTLE_MS = 30_000;
/** Descriptors that have become no fewer for so long are those of an idle broker. */
const STEADY_MS = 1500;
/** Without a turn for so long, this process was kept from running. */
const STALL_MS = 2000;
/** A lane's pause between two of its turns is random up to this. */
const PAUSE_MS = 60;
const FOREVER = 2 ** 31 - 1;

/**
 * Runs the real broker, as `seawall up` starts it, for a time with mixed traffic and faults, and holds
 * what its clients and servers saw against its record.
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-soak-"));
  const closers: (() => unknown)[] = [];
  try {
    return await soakIn(folder, options, (close) => closers.push(close));
  } finally {
    for (const close of closers.toReversed()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function soakIn(
  folder: string,
  options: SoakOptions,
  onEnd: (close: () => unknown) => void,
): Promise<SoakReport> {
  const random = new Random(options.seed);
  const paths = {
    store: join(folder, "store"),
    audit: join(folder, "audit"),
    log: join(folder, "broker.log"),
    vault: {
      folder: join(folder, "vault"),
      file: join(folder, "vault", "vault.age"),
      identity: join(folder, "vault", "vault.key"),
    },
  };
  for (const path of [paths.store, paths.audit, paths.vault.folder])
    mkdirSync(path, { mode: 0o700 });
  await createVault(paths.vault);
  const vault = await openVault(paths.vault);
  const ledger = new Ledger();
  const outside = new Outside(ledger);
  onEnd(() => {
    outside.close();
  });
  const rotate = async (): Promise<void> => {
    const value = canary(`sk-real-${outside.values.length}-`);
    // Known outside first: the broker may read it in the same moment.
    outside.rotate(value);
    await vault.set("model", new SecretValue(value));
  };
  await rotate();
  const inner = await makeAuthority("wall");
  const outer = await makeAuthority("outside");
  const hosts: readonly HostName[] = [
    "model",
    "json",
    "form",
    "query",
    "lost",
    "dead",
    "socket",
    "shoal",
    "tunnel",
    "shoalTunnel",
  ];
  await outside.start(outer, hosts.map(nameOf));
  const signingKey = makeSigningKey();
  const deployment = await makeDeployment(outside, inner, {
    vault: { file: paths.vault.file, identity: paths.vault.identity },
    folder: paths.audit,
    signingKey,
  });
  onEnd(() => {
    deployment.close();
  });
  const clients = new Clients(inner.ca);
  onEnd(() => {
    clients.close();
  });
  let configurations = 0;
  let shoalIs: "full" | "less" | "changing" = "full";
  const traffic: Traffic = {
    ledger,
    clients,
    deployment,
    random,
    outerCa: outer.ca,
    shoalIs: () => shoalIs,
    changes: () => configurations,
  };
  const broker: SoakBroker = await SoakBroker.start(
    paths,
    deployment.configs.full,
    deployment.listeners,
    {
      onDial: (_bot, id) => {
        // Paused: this process must not read what is the broker's.
        const socket = net.connect(outside.ports.gateway, "127.0.0.1").pause();
        socket.once("error", () => broker.giveConnection(id, { error: "no gateway" }));
        socket.once("connect", () => {
          broker.giveConnection(id, { handle: Reflect.get(socket, "_handle") as unknown });
        });
      },
      onAsk: ({ id }) => {
        // Every third is left to wait until it is too late.
        if (!random.oneIn(3)) broker.answer(id, random.oneIn(2) ? "allow" : "deny");
      },
    },
  );
  onEnd(() => broker.stop());
  // Sockets that a launcher makes listen from the first moment; these do once the broker has them.
  for (const { message, handle } of deployment.listeners)
    if (message.protocol === "tcp") await listening(handle);

  const began = Date.now();
  const totalMs = options.seconds * 1000;
  const lanes = new Lanes(traffic);
  let beat = Date.now();
  const pulse = setInterval(() => {
    const now = Date.now();
    if (now - beat > STALL_MS) ledger.stalls.push({ from: beat, until: now });
    beat = now;
  }, 250);
  onEnd(() => {
    clearInterval(pulse);
  });
  onEnd(() => {
    lanes.running = false;
  });
  let rotations = 0;
  const reconfigure = async (): Promise<void> => {
    const which = random.pick(["full", "less", "wrong", "full"] as const);
    const before = shoalIs;
    if (which !== "wrong") shoalIs = "changing";
    configurations += 1;
    const refused = await broker.configure(deployment.configs[which]);
    if ((refused !== undefined) !== (which === "wrong"))
      ledger.fault(
        `a configuration was ${refused === undefined ? "taken" : `refused: ${refused}`}`,
      );
    shoalIs = which === "wrong" ? before : which;
    if (random.oneIn(3)) {
      await rotate();
      rotations += 1;
    }
  };
  const descriptorsOf = (): number => sum(broker.descriptors());
  /**
   * Lets everything end, and waits for the descriptors to be as few as an idle broker has, or, where
   * that isn't known yet, to become no fewer.
   */
  const quiet = async (most = 0): Promise<number> => {
    await lanes.pause();
    clients.close();
    outside.cut();
    const until = Date.now() + SETTLE_MS;
    let least = descriptorsOf();
    let since = Date.now();
    const steadyMs = most > 0 ? SETTLE_MS : STEADY_MS;
    for (let now = least; now > most; now = descriptorsOf()) {
      if (now < least) since = Date.now();
      least = Math.min(least, now);
      if (Date.now() > until || Date.now() - since > steadyMs) break;
      await wait(50);
    }
    return descriptorsOf();
  };

  lanes.start();

  const killUntil = began + totalMs * KILLED_PART;
  while (Date.now() < killUntil) {
    const [least, more] = KILL_EVERY_MS;
    await wait(
      Math.min(
        least + random.below(Math.min(more, totalMs / 10)),
        Math.max(0, killUntil - Date.now()),
      ),
    );
    await reconfigure();
    await broker.killAndStart();
    // What was taken away before comes back with the configuration that the supervisor holds.
    options.onProgress?.(
      `${elapsed(began)}  killed and up again, ${ledger.calls.size} calls until now`,
    );
  }

  const life = Date.now();
  const lifeMs = Math.max(1000, began + totalMs - life);
  const looks: { readonly at: number; readonly bytes: number; readonly descriptors: number }[] = [];
  const loaded: { readonly at: number; readonly bytes: number }[] = [];
  const sampler = setInterval(() => {
    if (lanes.running) loaded.push({ at: Date.now() - life, bytes: broker.resident() });
  }, SAMPLE_MS);
  onEnd(() => {
    clearInterval(sampler);
  });
  // Some calls of each kind before anything is counted: what is opened once and kept isn't a leak.
  await wait(Math.min(10_000, lifeMs / 5));
  const idle = await quiet();
  const idleSet = broker.descriptors();
  lanes.start();
  const count = Math.max(2, Math.min(LOOKS, Math.floor(lifeMs / 4000)));
  for (let look = 1; look <= count; look += 1) {
    const until = life + (lifeMs * look) / count;
    while (Date.now() < until) {
      await wait(Math.min(until - Date.now(), 500 + random.below(5000)));
      await reconfigure();
    }
    const descriptors = await quiet(idle);
    const bytes = broker.resident();
    looks.push({ at: Date.now() - life, bytes, descriptors });
    options.onProgress?.(
      `${elapsed(began)}  ${ledger.calls.size} calls, ${Math.round(bytes / 1e6)} MB idle, ${descriptors} descriptors`,
    );
    if (descriptors > idle)
      ledger.fault(
        `${descriptors} descriptors at look ${look}, ${idle} are those of an idle broker; more than then: ${moreThan(broker.descriptors(), idleSet)}`,
      );
    if (look < count) lanes.start();
  }
  clearInterval(sampler);
  await broker.stop();

  const memory = judgeMemory(looks, loaded);
  if (memory.fault !== undefined) ledger.fault(memory.fault);
  if (broker.output() !== "") ledger.fault(`the broker wrote: ${broker.output().slice(0, 1000)}`);
  const read = await readRecord(join(paths.audit, "audit.jsonl"), publicKeyOf(signingKey));
  for (const finding of read.findings) ledger.fault(`verify: ${finding}`);
  const written = [paths.audit, folder]
    .flatMap((path) =>
      readdirSync(path, { withFileTypes: true, recursive: false }).map((each) => ({ each, path })),
    )
    .filter(({ each }) => each.isFile())
    .map(({ each, path }) => readFileSync(join(path, each.name), "latin1"));
  const all = [...written, ...read.lines].join("\n");
  for (const [index, marker] of [...outside.values, ...deployment.markers].entries())
    if (all.includes(marker))
      ledger.fault(
        `what was written holds the ${index < outside.values.length ? "secret" : "phantom or token"}`,
      );
  const faults = judge(ledger, read.records, broker.downs);
  const downs = broker.downs.map(({ from, until }) => until - from);
  return {
    ok: faults.length === 0,
    seed: options.seed,
    seconds: Math.round((Date.now() - began) / 1000),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    made: countBy([...ledger.calls.values()], ({ what }) => what),
    tunnels: ledger.tunnels.length,
    noted: ledger.noted.length,
    record: {
      lines: read.lines.length,
      checkpoints: read.checkpoints,
      files: read.files,
      outcomes: countBy(read.records, ({ outcome }) => outcome),
      whole: read.findings.length === 0,
    },
    kills: broker.downs.length,
    downMs: [median(downs), Math.max(0, ...downs)],
    configurations,
    rotations,
    memory,
    descriptors: { idle, end: looks.at(-1)?.descriptors ?? 0 },
    faults,
  };
}

/** The lanes of clients, which can be held and let go on. */
class Lanes {
  readonly #traffic: Traffic;
  #turning: Promise<void>[] = [];
  running = false;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  start(): void {
    this.running = true;
    this.#turning = LANES.flatMap(([name, count, lane]) =>
      Array.from({ length: count }, async () => {
        while (this.running) {
          await lane(this.#traffic).catch((error: unknown) => {
            this.#traffic.ledger.fault(`the lane "${name}" itself failed: ${String(error)}`);
          });
          await wait(this.#traffic.random.below(PAUSE_MS));
        }
      }),
    );
  }

  /** Until all that runs has come to its end. */
  async pause(): Promise<void> {
    this.running = false;
    await Promise.all(this.#turning);
  }
}

async function readRecord(
  file: string,
  key: string,
): Promise<{
  records: AuditRecord[];
  lines: string[];
  checkpoints: number;
  files: number;
  findings: string[];
}> {
  const { openRecord, readLines, verifyRecord } = await openReader();
  const { findings, checkpoints, signed, files } = await verifyRecord(file, { keys: [key] });
  using opened = openRecord(recordNames(file));
  const lines: string[] = [];
  for (const each of opened) for await (const chunk of readLines(each)) lines.push(...chunk.lines);
  const records = lines
    .map((line) => JSON.parse(line) as AuditRecord & { kind: string })
    .filter(({ id }) => (id as string | undefined) !== undefined);
  return {
    records,
    lines,
    checkpoints,
    files,
    findings: [
      ...findings.map(({ message }) => message),
      ...(signed ? [] : ["the head isn't signed"]),
    ],
  };
}

async function listening(handle: unknown): Promise<void> {
  const at: { port?: number } = {};
  (handle as { getsockname(out: object): void }).getsockname(at);
  for (;;) {
    const socket = net.connect(at.port ?? 0, "127.0.0.1");
    const open = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await wait(10);
  }
}

function countBy<T>(list: readonly T[], key: (each: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of list) counts[key(each)] = (counts[key(each)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((a, b) => a + b, 0);
}

function moreThan(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): string {
  return [...now]
    .filter(([to, count]) => count > (before.get(to) ?? 0))
    .map(([to, count]) => `${count - (before.get(to) ?? 0)} × ${to}`)
    .join(", ");
}

function elapsed(since: number): string {
  return `${Math.round((Date.now() - since) / 1000)} s`.padStart(7);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(0, ms), FOREVER)));
}
