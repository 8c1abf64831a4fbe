import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/**
 * What five bots add to evaluating a whole system in real nixpkgs: the same system with and without them in
 * turn, by the processor time and the function calls that Nix counts itself (NIX_SHOW_STATS).
 *
 *   NIXPKGS=FOLDER [NIX=PROGRAM] ./dev bench nixos [--json]
 */
const nixpkgs = process.env["NIXPKGS"];
const nix = process.env["NIX"];
const json = process.argv.includes("--json");
const ROUNDS = 5;
const FOLDER = resolve(import.meta.dirname, "../test/nix");

interface Stats {
  readonly cpuTime: number;
  readonly nrFunctionCalls: number;
}

function evaluate(folder: string, configuration: string): Stats {
  const stats = join(folder, "stats.json");
  const [program, first] = nix === undefined ? ["nix-instantiate", []] : [nix, ["nix-instantiate"]];
  const { status, stderr } = spawnSync(
    program,
    [
      ...first,
      "--store",
      "dummy://",
      "--readonly-mode",
      "--eval",
      "--expr",
      `(import ${FOLDER}/evaluateReal.nix { nixpkgs = ${nixpkgs ?? ""}; } ${configuration}).toplevel.drvPath`,
    ],
    {
      encoding: "utf8",
      env: { ...process.env, NIX_SHOW_STATS: "1", NIX_SHOW_STATS_PATH: stats },
    },
  );
  if (status !== 0) throw new Error(stderr.slice(-2000));
  return JSON.parse(readFileSync(stats, "utf8")) as Stats;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

if (nixpkgs === undefined) process.stdout.write("skipped: say where nixpkgs is, NIXPKGS=FOLDER\n");
else {
  const folder = mkdtempSync(join(tmpdir(), "seawall-bench-"));
  try {
    const rounds = Array.from({ length: ROUNDS }, () => ({
      empty: evaluate(folder, "{ services.ollama.enable = true; }"),
      bots: evaluate(folder, `${FOLDER}/configurations/five-bots.nix`),
    }));
    const of = (which: "empty" | "bots") => {
      const times = rounds.map((round) => round[which].cpuTime);
      return {
        medianSeconds: median(times),
        least: Math.min(...times),
        most: Math.max(...times),
        functionCalls: rounds[0]?.[which].nrFunctionCalls ?? 0,
      };
    };
    const report = { empty: of("empty"), fiveBots: of("bots") };
    const line = (
      name: string,
      { medianSeconds, least, most, functionCalls }: ReturnType<typeof of>,
    ) =>
      `${name} median ${medianSeconds.toFixed(2)} s, ${least.toFixed(2)} to ${most.toFixed(2)} s; ${functionCalls} function calls\n`;
    const more = report.fiveBots.functionCalls / report.empty.functionCalls - 1;
    process.stdout.write(
      json
        ? `${JSON.stringify(report, null, 2)}\n`
        : `${line("empty system:", report.empty)}${line("five bots:   ", report.fiveBots)}added: ${(more * 100).toFixed(1)} % of the calls\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
