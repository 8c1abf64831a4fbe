import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Attack, Finding } from "./Attack.ts";
import type { Field } from "./Field.ts";
import type { Job, Report } from "./Job.ts";
import { ProveError } from "./ProveError.ts";
import { Witness } from "./range/Witness.ts";

/** A runner that has been started. */
export interface Running {
  readonly stdout: Readable;
  /** What it wrote to standard error, as far as it is kept. */
  readonly errors: () => string;
  /** Exit code as a shell has it, 128 + signal. */
  readonly exited: Promise<{ readonly code: number | null; readonly refusal?: string }>;
  kill(): void;
}

export interface AttackRun {
  readonly attacks: readonly Attack[];
  readonly field: Field;
  /** Where the runner finds its job, as seen from here. */
  readonly job: string;
  readonly witness: Witness;
  /** Texts that must not come back: the markers themselves. */
  readonly markers: readonly string[];
  readonly launch: () => Running;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly attack: Attack;
  readonly finding: Finding;
}

/** Longer than any attack takes: the runner ends one after 40 s by itself, unless it is blocked. */
const SILENCE_MS = 60_000;
const SIGKILLED = 137;
const SIGSYS = 159;

/**
 * Runs attacks one after the other in one process. Where that ends in the middle, the next ones run
 * in another; what the ending means for the attack is judged by how it ended.
 *
 * @throws ProveError `did-not-start` when not a single attack could be begun.
 */
export async function runAttacks(run: AttackRun): Promise<Outcome[]> {
  const { attacks, field, witness } = run;
  const tags = Object.fromEntries(attacks.map(({ name }) => [name, Witness.tagFor(name)]));
  const outcomes = new Map<string, Finding>();
  let rest = attacks;
  while (rest.length > 0) {
    run.signal.throwIfAborted();
    const job: Job = { field, names: rest.map(({ name }) => name), tags };
    writeFileSync(run.job, JSON.stringify(job), { mode: 0o644 });
    const { begun, end } = await runOnce(run, outcomes);
    run.signal.throwIfAborted();
    if (begun === undefined) throw didNotStart(end);
    if (!outcomes.has(begun)) outcomes.set(begun, judgeEnd(begun, end.code));
    rest = rest.filter(({ name }) => !outcomes.has(name));
  }
  return attacks.map((attack) => {
    const where = witness.where(tags[attack.name] ?? "");
    const finding = outcomes.get(attack.name) ?? { state: "untried", detail: "it was not run" };
    if (where === undefined || finding.state === "through") return { attack, finding };
    return { attack, finding: { state: "through", detail: `what it sent arrived at ${where}` } };
  });
}

interface End {
  readonly code: number | null;
  readonly errors: string;
}

/** Gives the last attack that began; findings go into `outcomes`. */
async function runOnce(
  run: AttackRun,
  outcomes: Map<string, Finding>,
): Promise<{ readonly begun: string | undefined; readonly end: End }> {
  const running = run.launch();
  const stop = (): void => running.kill();
  run.signal.addEventListener("abort", stop, { once: true });
  let timer = setTimeout(stop, SILENCE_MS);
  let begun: string | undefined;
  for await (const line of createInterface({ input: running.stdout })) {
    clearTimeout(timer);
    timer = setTimeout(stop, SILENCE_MS);
    const report = readReport(line);
    if (report === undefined) continue;
    if ("began" in report) begun = report.attack;
    else if (run.markers.some((marker) => line.includes(marker)))
      outcomes.set(report.attack, { state: "through", detail: "it told what it can't know" });
    else outcomes.set(report.attack, report.finding);
    if ("began" in report) run.onProgress(`${outcomes.size + 1} of ${run.attacks.length} attacks`);
  }
  clearTimeout(timer);
  const { code, refusal } = await running.exited;
  run.signal.removeEventListener("abort", stop);
  return { begun, end: { code, errors: refusal ?? running.errors() } };
}

/** A line is the attacker's word: one that isn't of the right form is none. */
function readReport(line: string): Report | undefined {
  if (!line.startsWith('{"attack":')) return undefined;
  try {
    return JSON.parse(line) as Report;
  } catch {
    return undefined;
  }
}

function judgeEnd(attack: string, code: number | null): Finding {
  if (code === SIGSYS)
    return { state: "held", layer: "seccomp", detail: "the filter killed the process" };
  if (code === SIGKILLED && attack === "memory")
    return { state: "held", layer: "limits", detail: "the process was killed for its memory" };
  return { state: "untried", detail: `the process ended in the middle of it, with ${code}` };
}

function didNotStart({ code, errors }: End): ProveError {
  const [last = ""] = errors.trim().split("\n").slice(-1);
  const why = last === "" ? `it ended with ${code}` : last.slice(0, 200);
  return new ProveError("did-not-start", `the attacks could not be started: ${why}`, {
    hint: "try the same with another command in place of the attacks, such as true",
  });
}
