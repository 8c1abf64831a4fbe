/**
 * Fuzzes the readers of what comes from outside, for a time that is given.
 *
 *     node test/fuzz/run.ts [--seconds 60] [--seed N] [NAME…]
 *
 * The time is shared among the fuzzers. A seed that is given runs the same inputs again. Exit code 1
 * when something was found; it stands in test/fuzz/found/, and every test run tries it from then on.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { fuzzers } from "./fuzzers/index.ts";
import { join } from "node:path";
import { FOUND, runFuzzer } from "./runFuzzer.ts";
import { startWatch } from "./watch.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const chosen = fuzzers.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seconds = Number(values.seconds);
if (chosen.length === 0 || !(seconds > 0)) {
  print(`there are: ${fuzzers.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else {
  for (const fuzzer of chosen) {
    const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
    const watch = startWatch(join(FOUND, `${fuzzer.name}-hang-${seed}`));
    const report = await runFuzzer(fuzzer, seed, (seconds * 1000) / chosen.length, watch);
    watch.end();
    print(
      `${fuzzer.name.padEnd(18)} seed ${String(seed).padEnd(11)} ${report.runs} inputs${report.finding === undefined ? "" : `  FOUND ${report.finding.file}`}`,
    );
    if (report.finding === undefined) continue;
    const { error } = report.finding;
    print(
      `  ${fuzzer.what}\n  ${(error instanceof Error ? error.message : String(error)).replaceAll("\n", "\n  ")}`,
    );
    process.exitCode = 1;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
