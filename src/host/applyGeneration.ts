import { chmodSync, mkdirSync } from "node:fs";
import { takeLock } from "../files/index.ts";
import { askSupervisor } from "./control/index.ts";
import { dropGeneration, writeGeneration, type Generation } from "./Generation.ts";
import { asDiskError, HostError } from "./HostError.ts";
import { startSupervisor } from "./startSupervisor.ts";
import type { StatePaths } from "./statePaths.ts";

/**
 * Writes a generation and has the supervisor put it in force, starting the supervisor if there is
 * none. When that fails the generation is forgotten, and what was in force before still is.
 */
export async function applyGeneration(
  paths: StatePaths,
  content: Omit<Generation, "number">,
  options: { readonly onProgress: (text: string) => void; readonly passphrase?: string },
): Promise<Generation> {
  makeStateFolders(paths);
  using lock = await takeLock(paths.lock, 0);
  if (lock === undefined) {
    throw new HostError("already-running", "another seawall up is at work here", {
      hint: "wait for it to end",
    });
  }
  const generation = writeGeneration(paths, content);
  const { onProgress, passphrase } = options;
  try {
    await startSupervisor(paths);
    const request = { verb: "apply", generation: generation.number } as const;
    await askSupervisor(
      paths,
      passphrase === undefined ? request : { ...request, passphrase },
      onProgress,
    );
  } catch (error) {
    dropGeneration(paths, generation.number);
    throw error;
  }
  return generation;
}

/**
 * Only the owner reads the state. Root's folder may be passed through, and no more, since bots
 * with uids of their own have to get to theirs.
 */
function makeStateFolders(paths: StatePaths): void {
  const through = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    for (const folder of [paths.root, paths.bots]) {
      mkdirSync(folder, { recursive: true, mode: through });
      // The vault may have been made first, and the folder with it.
      chmodSync(folder, through);
    }
    for (const folder of [paths.audit, paths.logs, paths.run, paths.generations]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  } catch (error) {
    throw asDiskError(error, "the state folder");
  }
}
