import type { Attack } from "./Attack.ts";
import { attacks } from "./attacks/index.ts";
import { ProveError } from "./ProveError.ts";

/** Attacks by their names or their groups'. @throws ProveError `no-such-attack` */
export function chooseAttacks(names: readonly string[] | undefined): readonly Attack[] {
  if (names === undefined) return attacks;
  const unknown = names.find((name) => !attacks.some((attack) => isNamed(attack, name)));
  if (unknown !== undefined)
    throw new ProveError("no-such-attack", `there is no attack "${unknown.slice(0, 40)}"`, {
      hint: "docs/prove.md lists them",
    });
  return attacks.filter((attack) => names.some((name) => isNamed(attack, name)));
}

function isNamed(attack: Attack, name: string): boolean {
  return attack.name === name || attack.group === name;
}
