import type { InForce } from "../changeDeclaration.ts";
import { HostError } from "../HostError.ts";
import type { StatePaths } from "../../paths/index.ts";
import { currentSystemGeneration, readSystemGeneration, refuseNixos } from "./SystemGeneration.ts";
import { switchSystem } from "./switchSystem.ts";
import { systemPaths } from "./systemPaths.ts";
import type { PlanChange } from "../../plan/index.ts";

/**
 * What systemd has in force here.
 *
 * @param agree whether what changes is what was wanted
 * @throws HostError `not-running`, `cannot-serve` where NixOS has it
 */
export function systemInForce(
  paths: StatePaths,
  onProgress: (text: string) => void,
  agree: (changes: readonly PlanChange[]) => boolean = () => true,
): InForce {
  const places = systemPaths(paths);
  refuseNixos(places);
  const number = currentSystemGeneration(places);
  if (number === undefined) {
    throw new HostError("not-running", "nothing is in force under systemd", {
      hint: "put a declaration in force with: seawall switch",
    });
  }
  return {
    generation: readSystemGeneration(places, number),
    command: "seawall switch",
    apply: (changed) =>
      switchSystem(changed, paths, {
        onProgress,
        agree: (changes) => Promise.resolve(agree(changes)),
      }),
  };
}
