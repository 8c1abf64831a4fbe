import { readFileSync } from "node:fs";
import type { Job } from "./Job.ts";
import { runJob } from "./runJob.ts";

/** Runs inside the wall: reads its job, does it, prints one line with the answer. */
const job = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Job;
process.stdout.write(`${JSON.stringify(await runJob(job, process.env))}\n`);
