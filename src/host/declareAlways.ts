import type { Ask } from "../broker/index.ts";
import { catalogue } from "../catalogue/index.ts";
import { allowAlways } from "../plan/index.ts";
import { changeDeclaration, loadInForce, type InForce } from "./changeDeclaration.ts";
import { HostError } from "./HostError.ts";

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
  inForce: InForce,
  ask: Ask,
  onProgress: (text: string) => void,
  onWritten: () => Promise<void>,
): Promise<DeclaredAlways> {
  const { file, loaded } = loadInForce(inForce, "; or allow the call with --once or --hour");
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
  return {
    file,
    changes: await changeDeclaration(inForce, file, edits, { onProgress, onWritten }),
  };
}
