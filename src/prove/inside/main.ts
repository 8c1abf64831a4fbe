/**
 * The attacker: runs the attacks it is told to and writes one line for each to standard output. It
 * is what somebody could run who has taken over the walled process: files in its own folder, loaded
 * by its own Node.
 *
 *   node main.ts JOB     JOB is a file with a Job
 */
import { readdirSync, readFileSync, readlinkSync, writeSync } from "node:fs";
import type { Attack, Finding } from "../Attack.ts";
import { attacks } from "../attacks/index.ts";
import type { Job, Report } from "../Job.ts";
import { codeOf, untried } from "./findings.ts";
import { Kernel } from "./Kernel.ts";

const STDOUT = 1;
const FIRST_DESCRIPTOR = 3;
const PATIENCE_MS = 40_000;

// First of all, before this process opens anything by itself.
const descriptors = openDescriptors();
const { field, names, tags } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Job;
const kernel = new Kernel(field);
for (const name of names) {
  const attack = attacks.find((each) => each.name === name);
  if (attack === undefined) continue;
  say({ attack: name, began: true });
  say({ attack: name, finding: await run(attack) });
}
// What an attack left open must not keep this from ending.
process.kill(process.pid, "SIGKILL");

async function run(attack: Attack): Promise<Finding> {
  const late = Promise.withResolvers<Finding>();
  const timer = setTimeout(() => late.resolve(untried("it took too long")), PATIENCE_MS);
  try {
    const tag = tags[attack.name] ?? "";
    const attacker = { field, kernel, tag, descriptors };
    return await Promise.race([Promise.resolve(attack.run(attacker)), late.promise]);
  } catch (error) {
    return untried(`it failed by itself: ${codeOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

function say(report: Report): void {
  const line = Buffer.from(`\n${JSON.stringify(report)}\n`);
  for (let at = 0; at < line.length;) {
    try {
      at += writeSync(STDOUT, line, at);
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
    }
  }
}

function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd")
    .filter((name) => Number(name) >= FIRST_DESCRIPTOR)
    .flatMap((name) => {
      try {
        return [readlinkSync(`/proc/self/fd/${name}`)];
      } catch {
        // The one that the folder itself was read by.
        return [];
      }
    });
}
