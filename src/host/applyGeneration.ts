import { chmodSync, mkdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { takeLock } from "../files/index.ts";
import { askSupervisor } from "./control/index.ts";
import {
  currentGeneration,
  dropGeneration,
  listGenerations,
  readGeneration,
  writeGeneration,
  type Generation,
} from "./Generation.ts";
import { asDiskError, HostError } from "./HostError.ts";
import { secretVariables } from "./resolveSecrets.ts";
import { startSupervisor } from "./startSupervisor.ts";
import type { StatePaths } from "../paths/index.ts";

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
  using lock = await takeLock(paths.lock, 0).catch((error: unknown) => {
    throw asDiskError(error, "the state folder");
  });
  if (lock === undefined) {
    throw new HostError("already-running", "another seawall up is at work here", {
      hint: "wait for it to end, then try again",
    });
  }
  const current = sameAsCurrent(paths, content);
  const generation = current ?? writeGeneration(paths, content);
  const { onProgress, passphrase } = options;
  try {
    await startSupervisor(paths, secretVariables(generation.plan.secrets));
    const request = { verb: "apply", generation: generation.number } as const;
    await askSupervisor(
      paths,
      passphrase === undefined ? request : { ...request, passphrase },
      onProgress,
    );
  } catch (error) {
    if (current === undefined) dropGeneration(paths, generation.number);
    throw error;
  }
  return generation;
}

/** The generation in force, if it says the same: applying it again changes nothing. */
function sameAsCurrent(
  paths: StatePaths,
  content: Omit<Generation, "number">,
): Generation | undefined {
  const number = currentGeneration(paths);
  if (number === undefined || !listGenerations(paths).includes(number)) return undefined;
  const current = readGeneration(paths, number);
  const { created } = current;
  const same = isDeepStrictEqual(current, { ...plain(content), number, created });
  return same ? current : undefined;
}

/** As it would come back from its file. */
function plain(content: Omit<Generation, "number">): object {
  return JSON.parse(JSON.stringify(content)) as object;
}

/**
 * Only the owner reads the state. Root's folder may be passed through, and no more, since bots
 * with uids of their own have to get to theirs.
 */
export function makeStateFolders(paths: StatePaths): void {
  const through = process.getuid?.() === 0 ? 0o711 : 0o700;
  try {
    for (const folder of [paths.root, paths.bots]) {
      mkdirSync(folder, { recursive: true, mode: through });
      // The vault may have been made first, and the folder with it.
      chmodSync(folder, through);
    }
    // The vault's too: the broker's wall binds it, and a vault may be made while it runs.
    for (const folder of [
      paths.vault.folder,
      paths.audit,
      paths.logs,
      paths.run,
      paths.generations,
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  } catch (error) {
    throw asDiskError(error, "the state folder");
  }
}
