import { readFileSync, realpathSync, statSync } from "node:fs";
import { diff, isDeepStrictEqual } from "node:util";
import { editDeclaration, type Edit } from "../declaration/index.ts";
import { writeFileAtomic } from "../files/index.ts";
import { applyGeneration } from "./applyGeneration.ts";
import { currentGeneration, readGeneration, type Generation } from "./Generation.ts";
import { asDiskError, HostError } from "./HostError.ts";
import { loadDeclaration, type LoadedDeclaration } from "./loadDeclaration.ts";
import { prepareGeneration } from "./prepareGeneration.ts";
import type { StatePaths } from "../paths/index.ts";

/** What is in force here, and how another declaration is put in force. */
export interface InForce {
  readonly generation: Generation;
  /** The command by which people do that. */
  readonly command: string;
  readonly apply: (changed: LoadedDeclaration) => Promise<unknown>;
}

/** What `seawall up` has in force. @throws HostError `not-running` */
export function supervisedInForce(paths: StatePaths, onProgress: (text: string) => void): InForce {
  const number = currentGeneration(paths);
  if (number === undefined) throw new HostError("not-running", "nothing is in force");
  return {
    generation: readGeneration(paths, number),
    command: "seawall up",
    apply: async (changed) =>
      applyGeneration(paths, await prepareGeneration(changed, paths, onProgress), { onProgress }),
  };
}

/**
 * The declaration in force, as its file has it now.
 *
 * @param otherwise what else can be done when it has other changes
 * @throws HostError `cannot-declare` when it was changed since it was applied; and what loading throws.
 */
export function loadInForce(
  { generation, command }: InForce,
  otherwise: string,
): { readonly file: string; readonly loaded: LoadedDeclaration } {
  const file = realpathOf(generation.declaration);
  const loaded = loadDeclaration(generation.declaration, process.env);
  if (isDeepStrictEqual(plain(loaded.plan), plain(generation.plan))) return { file, loaded };
  throw new HostError("cannot-declare", "the declaration was changed since it was applied", {
    where: file,
    hint: `apply it first with: ${command}${otherwise}`,
  });
}

/**
 * Changes the declaration in force and puts that in force. When it can't be, the file is again as it was.
 *
 * @param onWritten called when the file is written and before that is put in force
 * @returns lines that went, with `-` before them, and that came, with `+`.
 */
export async function changeDeclaration(
  inForce: InForce,
  file: string,
  edits: readonly Edit[],
  {
    onProgress,
    onWritten,
  }: {
    readonly onProgress: (text: string) => void;
    readonly onWritten?: (changed: LoadedDeclaration) => Promise<void>;
  },
): Promise<readonly string[]> {
  const before = readFileSync(file, "utf8");
  const after = editDeclaration(before, edits);
  const mode = statSync(file).mode & 0o777;
  const changes = changedLines(before, after);
  for (const line of changes) onProgress(line);
  write(file, after, mode);
  try {
    const changed = loadDeclaration(inForce.generation.declaration, process.env);
    await onWritten?.(changed);
    await inForce.apply(changed);
  } catch (error) {
    write(file, before, mode);
    throw error;
  }
  return changes;
}

function write(file: string, text: string, mode: number): void {
  try {
    writeFileAtomic(file, text, mode);
  } catch (error) {
    throw asDiskError(error, "the declaration");
  }
}

/** The file itself, where the declaration is a link to it: the link stays. */
function realpathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function changedLines(before: string, after: string): string[] {
  return diff(before.split("\n"), after.split("\n"))
    .filter(([operation]) => operation !== 0)
    .map(([operation, line]) => `${operation < 0 ? "+" : "-"} ${line.trim()}`);
}

function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}
