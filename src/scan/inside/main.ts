import { readFileSync } from "node:fs";
import type { ScanJob } from "./Job.ts";
import { Scanner } from "./Scanner.ts";

// Runs inside a wall: the job is a file there, what was found goes to standard output by the line.
const job = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as ScanJob;
const scanner = new Scanner(
  job,
  (message) => void process.stdout.write(`${JSON.stringify(message)}\n`),
);
await scanner.run();
