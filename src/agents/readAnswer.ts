import { z } from "zod";
import type { Answer, Job, JobFault, JobKind, Jobs } from "./inside/Job.ts";

const text = z.string().max(4_096);
const dropped = z.object({ dropped: z.boolean() });
const FAULTS = [
  "unreachable",
  "refused",
  "exists",
  "not-there",
  "disk",
  "workspace",
  "git",
] as const satisfies readonly JobFault[];

const report = z.object({
  commits: z.array(text).max(1_000),
  pulled: z.int().nonnegative(),
  pushed: z.boolean(),
  held: z.array(z.object({ path: z.string().max(65_536), why: text })).max(100_000),
  conflict: text.exactOptional(),
  rewritten: z.literal(true).exactOptional(),
  restored: z.literal(true).exactOptional(),
  failed: text.exactOptional(),
});

/** What each kind of job gives. Written out, so that nothing else comes out of a wall. */
const RESULTS: { readonly [Kind in JobKind]: z.ZodType<Jobs[Kind]["gives"]> } = {
  "make-repository": z.object({ created: z.boolean(), restored: z.boolean(), url: text }),
  "drop-repository": dropped,
  "make-channel": z.object({
    id: text,
    created: z.boolean(),
    restored: z.boolean(),
    members: z.array(text).max(1_000),
  }),
  "drop-channel": dropped,
  "begin-workspace": report,
  "drop-workspace": dropped,
  sync: report,
  look: z.object({
    // As far as a date reaches (ECMA-262, "Time Values and Time Range").
    active: z.record(text, z.number().min(0).max(8.64e15)),
  }),
};

const Told = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.enum(FAULTS), message: text }),
]);

/**
 * What a program in a wall says of its job. It worked on what a bot may have prepared, so it may say anything:
 * what isn't an answer to this job means that the work ended before it was done.
 */
export function readAnswer(said: string, kind: Job["do"]): Answer {
  try {
    const told = Told.parse(JSON.parse(said));
    return told.ok ? { ok: true, result: RESULTS[kind].parse(told.result) } : told;
  } catch {
    return {
      ok: false,
      code: "workspace",
      message: "the work on the agent ended before it was done",
    };
  }
}
