import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");
export const FOLDER = import.meta.dirname;

/** The names of what `configurations` and `refused` hold. */
export function namesIn(folder: "configurations" | "refused"): string[] {
  return globSync("*.nix", { cwd: join(FOLDER, folder) })
    .map((name) => name.replace(/\.nix$/, ""))
    .toSorted();
}

export interface Evaluated {
  readonly ok: boolean;
  /** JSON, where it went well. */
  readonly out: string;
  readonly error: string;
}

/** Evaluates an expression by the `nix-instantiate` of this machine; nothing is written to its store. */
export function evaluate(
  expression: string,
  program: readonly [string, ...string[]] = ["nix-instantiate"],
): Evaluated {
  const [file, ...first] = program;
  const { status, stdout, stderr } = spawnSync(
    file,
    [...first, "--readonly-mode", "--eval", "--strict", "--json", "--expr", expression],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024, cwd: ROOT },
  );
  return { ok: status === 0, out: stdout, error: stderr };
}

/** Facts as goldens have them: places in the store by their package's name alone. */
export function normalised(facts: string): string {
  const text = facts.replaceAll(
    /\/nix\/store\/[a-z0-9]{32}-([A-Za-z][A-Za-z0-9_+.]*(?:-[A-Za-z][A-Za-z0-9_+.]*)*)(?:-[0-9][^/" ]*)?/g,
    "/nix/store/$1",
  );
  return JSON.stringify(JSON.parse(text), null, 2);
}

/** What the goldens were made from; what is generated has a test of its own. */
export function inputsHash(): string {
  const hash = createHash("sha256");
  const files = globSync(
    [
      "nix/modules/*",
      "test/nix/facts.nix",
      "test/nix/evaluateReal.nix",
      "test/nix/configurations/*.nix",
    ],
    { cwd: ROOT },
  ).toSorted();
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}
