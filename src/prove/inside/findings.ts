import type { Finding, Layer } from "../Attack.ts";

/** What markers look like; nobody inside is told one. */
export const MARKER = /swm-[a-z0-9]+-[0-9a-f]{32}/;

export function through(detail: string): Finding {
  return { state: "through", detail };
}

export function held(layer: Layer, detail: string): Finding {
  return { state: "held", layer, detail };
}

export function untried(detail: string): Finding {
  return { state: "untried", detail };
}

export function inapplicable(detail: string): Finding {
  return { state: "inapplicable", detail };
}

/**
 * Tries the same on several targets: through if one got through, untried if none could be tried or
 * one that could not be tried is all that isn't held.
 */
export async function tryEach<Target>(
  targets: readonly Target[],
  attempt: (target: Target) => Finding | Promise<Finding>,
): Promise<Finding> {
  const findings: Finding[] = [];
  for (const target of targets) {
    const finding = await attempt(target);
    if (finding.state === "through") return finding;
    findings.push(finding);
  }
  const first = (state: Finding["state"]): Finding | undefined =>
    findings.find((finding) => finding.state === state);
  const best = first("untried") ?? first("held") ?? first("inapplicable");
  if (best === undefined) return untried("there was nothing to try it on");
  const more = findings.filter(({ state }) => state === "held").length;
  return best.state === "held" && more > 1
    ? { ...best, detail: `${best.detail}; ${more} tried` }
    : best;
}

/** The code of what was thrown: `EACCES`. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return error instanceof Error ? error.message : String(error);
}
