import { GROUPS, type Finding, type Group } from "./Attack.ts";
import type { Outcome } from "./runAttacks.ts";

/** What `seawall prove --json` prints. */
export interface ProveReport {
  /** Nothing got through, and everything that applies could be tried. */
  readonly ok: boolean;
  readonly attacks: readonly AttackReport[];
  readonly seconds: number;
}

export interface AttackReport {
  readonly name: string;
  readonly group: Group;
  /** Also true of what doesn't apply; `layer` says so. */
  readonly held: boolean;
  /** What held it; `none` if nothing did, `untried` or `inapplicable`. */
  readonly layer: string;
  readonly detail: string;
}

export function makeReport(outcomes: readonly Outcome[], began: number): ProveReport {
  const attacks = outcomes
    .map(({ attack: { name, group }, finding }) => ({
      name,
      group,
      held: finding.state === "held" || finding.state === "inapplicable",
      layer: layerOf(finding),
      detail: finding.detail,
    }))
    .toSorted((one, other) => GROUPS.indexOf(one.group) - GROUPS.indexOf(other.group));
  return {
    ok: attacks.every(({ held }) => held),
    attacks,
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
}

function layerOf(finding: Finding): string {
  switch (finding.state) {
    case "held":
      return finding.layer;
    case "through":
      return "none";
    case "untried":
    case "inapplicable":
      return finding.state;
    default:
      return finding satisfies never;
  }
}
