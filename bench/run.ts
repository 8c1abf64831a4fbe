/**
 * What `seawall run` costs, beside what does something like it: starting `true` as a whole, from a
 * compiled policy, a loop of system calls and a git clone with and without the wall. Rounds are
 * interleaved, so that whatever else the machine does falls on all.
 *
 *   node bench/run.ts [--rounds N] [--json]
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, release } from "node:os";
import { dirname, join, resolve } from "node:path";
import { freePort } from "../src/run/index.ts";
import { probeHost } from "../src/wall/index.ts";
import { encodeInstructions } from "../src/wall/seccomp/bpf.ts";
import { compileFilter } from "../src/wall/seccomp/compile.ts";
import { walledPolicy } from "../src/wall/seccomp/walledPolicy.ts";

const json = process.argv.includes("--json");
const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1]) || 40;
const ROOT = resolve(import.meta.dirname, "..");
const SEAWALL = join(ROOT, "bin/seawall");
const SRT = join(ROOT, "node_modules/.bin/srt");
const folder = mkdtempSync("/var/tmp/seawall-bench-");
const home = join(folder, "home");
mkdirSync(home);
const env = {
  HOME: home,
  PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
  SEAWALL_STATE: join(folder, "state"),
  SEAWALL_STORE: join(folder, "store"),
};

interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Before each round; not measured. */
  readonly before?: () => void;
}

/** Milliseconds of each round by contender, or why one can't be measured here. */
function race(contenders: readonly Contender[], count: number): Record<string, number> {
  const times = new Map<string, number[]>();
  for (let round = -2; round < count; round++)
    for (const { name, command, before } of contenders) {
      before?.();
      const [program, ...args] = command;
      const from = process.hrtime.bigint();
      const done = spawnSync(program, args, { env, cwd: home, encoding: "utf8" });
      const took = Number(process.hrtime.bigint() - from) / 1e6;
      if (done.status !== 0) throw new Error(`${name}: ${done.status} ${done.stderr}`);
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), took]);
    }
  return Object.fromEntries([...times].map(([name, values]) => [name, median(values)]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function works(command: readonly [string, ...string[]]): boolean {
  const [program, ...args] = command;
  return spawnSync(program, args, { env, cwd: home }).status === 0;
}

const BWRAP = [
  "bwrap",
  ..."--unshare-all --die-with-parent --ro-bind /usr /usr --symlink usr/lib /lib".split(" "),
  ..."--symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --".split(" "),
] as [string, ...string[]];
const FIREJAIL: [string, ...string[]] = [
  "firejail",
  "--quiet",
  "--noprofile",
  "--net=none",
  "true",
];

function starting(): Record<string, number> {
  const all: Contender[] = [
    { name: "true", command: ["/usr/bin/true"] },
    { name: "node -e 0", command: [process.execPath, "-e", "0"] },
    { name: "bubblewrap", command: [...BWRAP, "/usr/bin/true"] },
    { name: "firejail", command: FIREJAIL },
    { name: "sandbox-runtime", command: [process.execPath, SRT, "--", "true"] },
    { name: "seawall run", command: [SEAWALL, "run", "--", "true"] },
  ];
  return race(
    all.filter(({ name, command }) => name === "true" || works(command)),
    rounds,
  );
}

type Calls = Readonly<Record<"turn" | "stat" | "read" | "connect" | "open", number>>;

/**
 * Nanoseconds for one turn of bench/loop.c and for each of its calls, as the loop itself measures them:
 * starting isn't in it. Beside nothing: bubblewrap, bubblewrap with the same filter, and the whole wall,
 * so that it shows what each layer takes.
 */
async function loop(): Promise<Record<string, Calls>> {
  // Not below a folder that only root may enter: programs are found by whoever runs them.
  const program = join(folder, "loop");
  const built = spawnSync("cc", ["-O2", "-static", "-o", program, join(ROOT, "bench/loop.c")]);
  if (built.status !== 0) throw new Error(`bench/loop.c: ${String(built.stderr)}`);
  const port = await freePort();
  const profile = join(folder, "loop.json");
  writeFileSync(
    profile,
    JSON.stringify({ network: { bind: [port] }, filesystem: { read: ["/usr/share"] } }),
  );
  const filter = join(folder, "filter");
  const { architecture = "x86_64" } = await probeHost({
    launcher: join(ROOT, "build/seawall-launch"),
  });
  writeFileSync(
    filter,
    encodeInstructions(compileFilter(walledPolicy({ processes: "any" }), architecture)),
  );
  const wrapped = [...BWRAP.slice(0, -1), "--ro-bind", program, program];
  const end = ["--", program, String(port)];
  const contenders: Readonly<Record<string, readonly string[]>> = {
    nothing: [program, String(port)],
    bubblewrap: [...wrapped, ...end],
    "bubblewrap and filter": [...wrapped, "--seccomp", "3", ...end],
    seawall: [SEAWALL, "run", "--profile", profile, ...end],
  };
  const found = new Map<string, Calls[]>();
  for (let round = 0; round < Math.min(rounds, 15); round++)
    for (const [name, [first = "", ...args]] of Object.entries(contenders)) {
      const fd = openSync(filter, "r");
      const done = spawnSync(first, args, {
        env,
        cwd: home,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe", fd],
      });
      closeSync(fd);
      if (done.status !== 0) throw new Error(`${name}: ${done.stderr}`);
      found.set(name, [...(found.get(name) ?? []), JSON.parse(done.stdout) as Calls]);
    }
  const kinds = ["turn", "stat", "read", "connect", "open"] as const;
  return Object.fromEntries(
    [...found].map(([name, all]) => [
      name,
      Object.fromEntries(
        kinds.map((kind) => [kind, median(all.map((each) => each[kind]))]),
      ) as Calls,
    ]),
  );
}

function clone(): Record<string, number> {
  const source = join(home, "source");
  const git = (...args: string[]) => spawnSync("git", args, { env, cwd: home });
  git("init", "-q", source);
  for (let file = 0; file < 300; file++)
    writeFileSync(join(source, `file-${file}`), `${file}\n`.repeat(200));
  git("-C", source, "add", ".");
  git("-C", source, "-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "-qm", "b");
  const target = join(home, "work/clone");
  mkdirSync(join(home, "work"));
  const before = (): void => rmSync(target, { recursive: true, force: true });
  const words = ["git", "clone", "-q", "--no-hardlinks", source, target] as const;
  const flags = ["run", "--profile", "shell", "--read", source, "--allow", join(home, "work")];
  return race(
    [
      { name: "without", command: ["/usr/bin/env", ...words], before },
      { name: "with", command: [SEAWALL, ...flags, "--", ...words], before },
    ],
    Math.min(rounds, 15),
  );
}

try {
  if (!existsSync(SRT)) throw new Error("sandbox-runtime is not installed: ./dev setup");
  const start = starting();
  const loops = await loop();
  const clones = clone();
  const at = (table: Record<string, number>, name: string): number => table[name] ?? Number.NaN;
  const turn = (name: string): number => loops[name]?.turn ?? Number.NaN;
  const report = {
    bench: "run",
    rounds,
    startMs: start,
    overNodeMs: at(start, "seawall run") - at(start, "node -e 0"),
    timesFasterThanSandboxRuntime: at(start, "sandbox-runtime") / at(start, "seawall run"),
    loopNs: loops,
    loopRatio: turn("seawall") / turn("nothing"),
    cloneMs: clones,
    cloneRatio: at(clones, "with") / at(clones, "without"),
    aims: { overNodeMs: 30, timesFasterThanSandboxRuntime: 4, loopRatio: 1.05 },
    machine: { cpu: cpus()[0]?.model, cpus: cpus().length, kernel: release() },
  };
  const rows = [
    ...Object.entries(start).map(([name, ms]) => `start: ${name.padEnd(20)}${ms.toFixed(1)} ms`),
    `seawall run over node     ${report.overNodeMs.toFixed(1)} ms (aim: at most 30)`,
    `against sandbox-runtime   ${report.timesFasterThanSandboxRuntime.toFixed(1)} times as fast (aim: at least 4)`,
    `loop of system calls      ${report.loopRatio.toFixed(3)} of the time without (aim: at most 1.05)`,
    ...Object.entries(loops).map(
      ([name, calls]) =>
        `  ${name.padEnd(24)}${Object.entries(calls)
          .map(([kind, ns]) => `${kind} ${ns.toFixed(0)}`)
          .join(", ")} ns`,
    ),
    `git clone                 ${report.cloneRatio.toFixed(2)} of the time without`,
  ];
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `${rows.join("\n")}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
