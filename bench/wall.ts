/**
 * What a wall costs at the start: `true` behind bubblewrap and seawall-launch with a compiled
 * policy, beside `true` behind bubblewrap alone with the same namespaces and binds, and behind firejail
 * without a network where it is installed. Rounds are interleaved, so that whatever else the machine
 * does falls on all.
 *
 *   node bench/wall.ts [--rounds N] [--json]
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileWall, probeHost, programFiles } from "../src/wall/index.ts";
import type { WallSpec } from "../src/wall/index.ts";
import { closingArguments, LAUNCHER_INSIDE } from "../src/wall/namespaces/arguments.ts";

const json = process.argv.includes("--json");
const rounds = Number(process.argv[process.argv.indexOf("--rounds") + 1]) || 200;
const launcher = fileURLToPath(new URL("../build/seawall-launch", import.meta.url));
// As the bots of a supervisor that is root: an unprivileged uid.
const subject = process.getuid?.() === 0 ? { uid: 1_879_050_000, gid: 1_879_050_000 } : {};

const spec: WallSpec = {
  command: ["/usr/bin/true"],
  cwd: "/",
  environment: {},
  identity: { uid: 1000, gid: 1000 },
  hostname: "bench",
  mounts: [
    { kind: "read", from: "/usr", to: "/usr" },
    { kind: "link", to: "/lib", target: "usr/lib" },
    { kind: "link", to: "/lib64", target: "usr/lib64" },
    { kind: "link", to: "/bin", target: "usr/bin" },
    { kind: "proc", to: "/proc" },
    { kind: "devices", to: "/dev" },
    { kind: "memory", to: "/tmp", size: 64 << 20 },
  ],
  network: { tcp: [], udp: [], bind: [18789] },
  execute: [],
  libraries: programFiles(["/usr/bin/true"]).libraries,
  protect: [],
  limits: {},
  processes: "any",
  namespaces: "own",
  concessions: [],
};

const host = await probeHost({ launcher, ...subject });
const wall = compileWall(spec, host);
const bwrap = host.bubblewrap?.path ?? "bwrap";
const folder = mkdtempSync(join(tmpdir(), "seawall-bench-"));
const policy = join(folder, "policy");
const args = join(folder, "arguments");
writeFileSync(policy, wall.policy);
writeFileSync(
  args,
  [...(wall.bwrap ?? []), ...closingArguments(launcher)].map((text) => `${text}\0`).join(""),
);

/** Milliseconds from the call to the end of the process. Descriptor 3 holds the arguments, 4 the policy. */
function measure(command: readonly string[]): number {
  const inputs = [openSync(args, "r"), openSync(policy, "r")];
  const from = process.hrtime.bigint();
  const done = spawnSync(bwrap, ["--args", "3", "--", ...command], {
    env: {},
    stdio: ["ignore", "inherit", "inherit", ...inputs],
    ...subject,
  });
  const took = Number(process.hrtime.bigint() - from) / 1e6;
  for (const fd of inputs) closeSync(fd);
  if (done.status !== 0) throw new Error(`ended with ${done.status ?? done.signal}`);
  return took;
}

const FIREJAIL = ["--quiet", "--noprofile", "--net=none", "/usr/bin/true"];
const hasFirejail = spawnSync("firejail", FIREJAIL).status === 0;

function measureFirejail(): number {
  const from = process.hrtime.bigint();
  const done = spawnSync("firejail", FIREJAIL, { stdio: ["ignore", "inherit", "inherit"] });
  const took = Number(process.hrtime.bigint() - from) / 1e6;
  if (done.status !== 0) throw new Error(`firejail ended with ${done.status ?? done.signal}`);
  return took;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

const contenders = {
  bubblewrap: ["/usr/bin/true"],
  seawall: [LAUNCHER_INSIDE, "--policy-fd", "4"],
} as const;
const times = { bubblewrap: [] as number[], seawall: [] as number[], firejail: [] as number[] };
try {
  for (let round = -5; round < rounds; round++)
    for (const name of ["bubblewrap", "seawall"] as const) {
      const took = measure(contenders[name]);
      if (round >= 0) times[name].push(took);
      if (name !== "seawall" || !hasFirejail) continue;
      const other = measureFirejail();
      if (round >= 0) times.firejail.push(other);
    }
} finally {
  rmSync(folder, { recursive: true });
}

const medians = {
  bubblewrap: median(times.bubblewrap),
  seawall: median(times.seawall),
  ...(hasFirejail ? { firejail: median(times.firejail) } : {}),
};
const report = {
  bench: "wall",
  rounds,
  medianMs: medians,
  ratio: medians.seawall / medians.bubblewrap,
  aim: 1.5,
  machine: { cpu: cpus()[0]?.model, cpus: cpus().length, kernel: release() },
  bubblewrap: host.bubblewrap?.version,
};
process.stdout.write(
  json
    ? `${JSON.stringify(report)}\n`
    : `bubblewrap alone        ${medians.bubblewrap.toFixed(2)} ms\n` +
        `with seawall-launch     ${medians.seawall.toFixed(2)} ms\n` +
        `firejail                ${medians.firejail?.toFixed(2) ?? "not installed"}${hasFirejail ? " ms" : ""}\n` +
        `ratio                   ${report.ratio.toFixed(2)} (aim: at most ${report.aim})\n`,
);
