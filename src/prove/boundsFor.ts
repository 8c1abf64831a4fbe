import type { ResourceLimits } from "../wall/index.ts";
import type { Field } from "./Field.ts";

const ABOVE = 1.25;

/** Past the limits, so that these are met, and no further. */
export function boundsFor(
  bounds: Field["bounds"],
  { memory, processes, openFiles, fileSize }: ResourceLimits,
  logBytes: number,
): Field["bounds"] {
  const past = (limit: number | undefined, otherwise: number): number =>
    limit === undefined ? otherwise : Math.ceil(limit * ABOVE) + 64;
  return {
    processes: past(processes, bounds.processes),
    memory: past(memory, bounds.memory),
    descriptors: past(openFiles, bounds.descriptors),
    fileSize: past(fileSize, bounds.fileSize),
    logBytes,
  };
}
