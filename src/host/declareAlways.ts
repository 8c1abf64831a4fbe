import { readFileSync, realpathSync, statSync } from "node:fs";
import { diff, isDeepStrictEqual } from "node:util";
import type { Ask } from "../broker/index.ts";
import { catalogue } from "../catalogue/index.ts";
import { editDeclaration } from "../declaration/index.ts";
import { writeFileAtomic } from "../files/index.ts";
import { allowAlways } from "../plan/index.ts";
import { applyGeneration } from "./applyGeneration.ts";
import { currentGeneration, readGeneration } from "./Generation.ts";
import { asDiskError, HostError } from "./HostError.ts";
import { loadDeclaration } from "./loadDeclaration.ts";
import { prepareGeneration } from "./prepareGeneration.ts";
import type { StatePaths } from "../paths/index.ts";

/** A declaration that was changed, and how. */
export interface DeclaredAlways {
  readonly file: string;
  /** Lines that went, with `-` before them, and that came, with `+`. */
  readonly changes: readonly string[];
}

/**
 * Writes into the declaration in force that calls such as this one may be made without asking, and
 * puts it in force. When that fails the file is again as it was.
 *
 * @param onWritten called when the declaration is written and before it is put in force, which can
 *   take longer than a bot waits.
 * @throws HostError `cannot-declare` when the declaration has other changes, or none would help;
 *   and what loading, preparing and applying throw.
 */
export async function declareAlways(
  paths: StatePaths,
  ask: Ask,
  onProgress: (text: string) => void,
  onWritten: () => Promise<void>,
): Promise<DeclaredAlways> {
  const number = currentGeneration(paths);
  if (number === undefined) throw new HostError("not-running", "nothing is in force");
  const inForce = readGeneration(paths, number);
  const file = realpathOf(inForce.declaration);
  const loaded = loadDeclaration(inForce.declaration, process.env);
  if (!isDeepStrictEqual(plain(loaded.plan), plain(inForce.plan))) {
    throw new HostError("cannot-declare", "the declaration was changed since it was applied", {
      where: file,
      hint: "apply it first with: seawall up; or allow the call with --once or --hour",
    });
  }
  const grants = loaded.plan.bots.find(({ name }) => name === ask.bot)?.grants ?? [];
  const grant = grants.find(({ name }) => name === ask.grant);
  const edits = allowAlways(
    loaded.declaration,
    catalogue,
    ask,
    grant?.kind === "inject" ? grant : undefined,
  );
  if ("wrong" in edits) {
    throw new HostError("cannot-declare", `this can't be allowed for good: ${edits.wrong}`, {
      where: file,
      hint: "allow it with --once or --hour, or write the declaration yourself",
    });
  }
  const before = readFileSync(file, "utf8");
  const after = editDeclaration(before, edits);
  const mode = statSync(file).mode & 0o777;
  const changes = changedLines(before, after);
  for (const line of changes) onProgress(line);
  write(file, after, mode);
  try {
    const changed = loadDeclaration(inForce.declaration, process.env);
    await onWritten();
    const prepared = await prepareGeneration(changed, paths, onProgress);
    await applyGeneration(paths, prepared, { onProgress });
  } catch (error) {
    write(file, before, mode);
    throw error;
  }
  return { file, changes };
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
