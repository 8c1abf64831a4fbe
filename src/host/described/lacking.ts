import type { Plan } from "../../plan/index.ts";
import { HostError } from "../HostError.ts";

/**
 * What a machine that gets its files from elsewhere, as NixOS does, has a place for. This is the only list: the
 * Nix modules refuse by it while they are evaluated (`./dev nix generate` brings it to nix/generated), the
 * build does, and `seawall init --flake` doesn't offer the rest.
 */
export const DESCRIBED = {
  /** Services that are programs of ours and whose units come with the others. */
  programs: ["bridge", "browser-fetch"] as readonly string[],
} as const;

/** @throws HostError `cannot-serve` for what is in the plan and would not be on that machine. */
export function refuseWhatDescribedLack({ bots, autoUpdate }: Plan): void {
  if (autoUpdate !== undefined) {
    throw new HostError(
      "cannot-serve",
      "autoUpdate moves a machine that keeps its own generations; this one gets its files from elsewhere",
      { hint: "leave it out, and build again for a newer OpenClaw" },
    );
  }
  for (const { name, grants } of bots) {
    const program = grants.find(
      (each) => each.kind === "program" && !DESCRIBED.programs.includes(each.service),
    );
    if (program === undefined) continue;
    throw new HostError(
      "cannot-serve",
      `bot "${name}" is granted "${program.name}", a program that services can't reach there yet`,
      { hint: "leave it out, or run the bot with: seawall up" },
    );
  }
}
