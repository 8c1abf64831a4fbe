import { join } from "node:path";
import { describedPlace, describedSystem, MACHINE_FILE } from "../described/describedSystem.ts";
import { readMachine } from "../described/MachineDescription.ts";
import type { SystemdSystem } from "../../targets/index.ts";
import { PROJECT } from "../ownProcess.ts";
import { brokerCache } from "../warmBroker.ts";
import { findSystem } from "./findSystem.ts";
import { isFromNixos } from "./SystemGeneration.ts";
import type { CodePlace } from "./systemInput.ts";
import type { SystemPaths } from "./systemPaths.ts";

/**
 * What the units of the generation in force were printed for: on NixOS the machine that its configuration
 * describes, elsewhere this host as it is found.
 *
 * @param options.store of the deployment's programs.
 * @throws HostError `no-systemd`, `unreadable-file`
 */
export async function machineInForce(
  places: SystemPaths,
  options: {
    readonly version: number;
    readonly programs: { readonly launcher: string; readonly node: string };
    readonly store: string;
  },
): Promise<{ readonly system: SystemdSystem; readonly place: CodePlace }> {
  if (isFromNixos(places)) {
    const machine = readMachine(join(places.current, MACHINE_FILE));
    return { system: describedSystem(machine), place: describedPlace(machine) };
  }
  const { launcher, node } = options.programs;
  return {
    system: await findSystem(options.version, launcher, node, places),
    place: { project: PROJECT, cache: brokerCache(options.store) },
  };
}
