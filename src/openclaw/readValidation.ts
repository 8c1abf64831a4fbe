import { z } from "zod";
import { OpenClawError } from "./OpenClawError.ts";

/** One objection of OpenClaw's own. */
export interface ConfigIssue {
  /** Path in openclaw.json, as OpenClaw writes it: `channels.telegram.dmPolicy`. */
  readonly path: string;
  readonly message: string;
}

const Report = z.looseObject({
  valid: z.boolean(),
  issues: z.array(z.looseObject({ path: z.string().optional(), message: z.string() })).optional(),
});

/**
 * Reads what `openclaw config validate --json` printed.
 *
 * @returns OpenClaw's objections; none means that it takes the configuration.
 * @throws OpenClawError `openclaw-failed` when it came to no judgement.
 */
export function readValidation(output: string): ConfigIssue[] {
  const { valid, issues = [] } = report(output);
  if (valid) return [];
  if (issues.length === 0) throw failed("it names no reason", output);
  return issues.map(({ path = "", message }) => ({ path, message }));
}

function report(output: string): z.infer<typeof Report> {
  try {
    return Report.parse(JSON.parse(output));
  } catch (cause) {
    throw failed("its answer can't be read", output, cause);
  }
}

export function failed(
  why: string,
  output: string,
  cause: unknown = new Error(output.slice(-2000)),
): OpenClawError {
  return new OpenClawError("openclaw-failed", `OpenClaw can't check the configuration: ${why}`, {
    cause,
  });
}
