import { readBytes, type DeclaredBot } from "../declaration/index.ts";
import type { ResourcesPlan } from "./Plan.ts";

/** What of a bot's limits concerns the machine and not its calls. */
export function planResources(declared: DeclaredBot["limits"]): {
  readonly resources?: ResourcesPlan;
} {
  if (declared === undefined) return {};
  const { memory, processes, openFiles, fileSize, cpu } = declared;
  const resources: ResourcesPlan = {
    ...(memory === undefined ? {} : { memory: readBytes(memory) }),
    ...(processes === undefined ? {} : { processes }),
    ...(openFiles === undefined ? {} : { openFiles }),
    ...(fileSize === undefined ? {} : { fileSize: readBytes(fileSize) }),
    ...(cpu === undefined ? {} : { cpu }),
  };
  return Object.keys(resources).length === 0 ? {} : { resources };
}
