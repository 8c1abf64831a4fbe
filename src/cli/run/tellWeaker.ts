import type { runCommand } from "../../run/index.ts";

type Mechanisms = Awaited<ReturnType<typeof runCommand>>["mechanisms"];

/** A wall with a concession says so each time (invariant 4); others say nothing. */
export function tellWeaker(mechanisms: Mechanisms): void {
  const conceded = mechanisms.some(({ detail }) => detail.startsWith("conceded"));
  if (!conceded) return;
  for (const { mechanism, state, detail } of mechanisms)
    if (state !== "enforced") process.stderr.write(`seawall: ${mechanism} ${state}: ${detail}\n`);
}
