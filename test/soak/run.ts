/**
 * The real broker for a long time, with mixed traffic and faults.
 *
 *     ./dev soak [--minutes 30] [--seed N] [--json]
 *
 * Exit code 0 when memory stayed flat, no descriptor leaked, nothing was lost or doubled in the record
 * and the record is whole; 1 otherwise; 2 for wrong arguments; 4 when this host can't enforce the
 * broker's wall.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { WallError } from "../../src/wall/index.ts";
import { runSoak, type SoakReport } from "./runSoak.ts";

/** More faults than this are only counted. */
const SHOWN = 40;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = read();
  if (options === undefined) {
    process.stderr.write("usage: ./dev soak [--minutes N] [--seed N] [--json]\n");
    return 2;
  }
  try {
    const report = await runSoak({
      seconds: options.minutes * 60,
      seed: options.seed,
      onProgress: (text) => {
        process.stderr.write(`${text}\n`);
      },
    });
    print(options.json ? JSON.stringify(report, undefined, 2) : show(report));
    return report.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof WallError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return 4;
  }
}

function read(): { minutes: number; seed: number; json: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "30" },
        seed: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const minutes = Number(values.minutes);
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
    const right = minutes > 0 && minutes <= 24 * 60 && Number.isSafeInteger(seed) && seed >= 0;
    return right ? { minutes, seed, json: values.json } : undefined;
  } catch {
    return undefined;
  }
}

function show(report: SoakReport): string {
  const { record, memory, descriptors, faults } = report;
  const calls = Object.values(report.made).reduce((a, b) => a + b, 0);
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `seed ${report.seed}, ${report.seconds} s on ${report.machine}`,
    `calls        ${calls}: ${list(report.made)}`,
    `besides      ${report.tunnels} connections passed through, ${report.noted} questions and connections in vain`,
    `faults made  ${report.kills} kills (up again after ${report.downMs.join(" ms at the median, ")} ms at most), ${report.configurations} configurations, ${report.rotations} rotations of the secret`,
    `record       ${record.lines} lines in ${record.files} files, ${record.checkpoints} checkpoints: ${list(record.outcomes)}`,
    `             ${record.whole ? "verify says whole" : "verify found something"}`,
    `memory       idle ${memory.idleMB.join(", ")} MB; under load ${memory.loadedMB[0]} and then ${memory.loadedMB[1]} MB, ${memory.loadedMB[2]} at the most`,
    `             (${memory.rule})`,
    `descriptors  ${descriptors.end} in the end, ${descriptors.idle} when idle`,
    ...faults.slice(0, SHOWN).map((fault) => `FAULT        ${fault}`),
    ...(faults.length > SHOWN ? [`             and ${faults.length - SHOWN} more`] : []),
    faults.length === 0 ? "all held" : `${faults.length} faults`,
  ].join("\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
