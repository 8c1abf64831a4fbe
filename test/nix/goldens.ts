import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nixValue } from "../../src/targets/index.ts";
import { evaluate, FOLDER, inputsHash, namesIn, normalised } from "./evaluate.ts";

/**
 * Writes what real nixpkgs makes of each configuration, for the test to compare ours with. Called by
 * `./dev nix goldens NIXPKGS=FOLDER [NIX=PROGRAM]`: nixpkgs as a folder, and a Nix that is new enough for
 * it (2.18) where the machine's isn't.
 */
const given = new Map(
  process.argv.slice(2).map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)] as const;
  }),
);
const nixpkgs = given.get("NIXPKGS");
if (nixpkgs === undefined) throw new Error("say where nixpkgs is: NIXPKGS=FOLDER");
const nix = given.get("NIX");
const program: readonly [string, ...string[]] = [
  ...(nix === undefined ? [] : [nix]),
  "nix-instantiate",
  "--store",
  "dummy://",
] as unknown as [string, ...string[]];

/** Evaluated with modules of others, where they are given by folder: AGENIX, SOPS, DISKO, HOME_MANAGER. */
const others = JSON.stringify(Object.fromEntries(given));

const real = `import ${FOLDER}/evaluateReal.nix { nixpkgs = ${nixpkgs}; }`;
mkdirSync(join(FOLDER, "goldens"), { recursive: true });
for (const name of namesIn("configurations")) {
  const facts = evaluate(`(${real} ${FOLDER}/configurations/${name}.nix).facts`, program);
  if (!facts.ok) throw new Error(`${name}: ${facts.error.slice(-2000)}`);
  const golden = { inputs: inputsHash(), facts: JSON.parse(normalised(facts.out)) as unknown };
  writeFileSync(join(FOLDER, "goldens", `${name}.json`), `${JSON.stringify(golden, null, 2)}\n`);
  const system = evaluate(
    `(${real} ${FOLDER}/configurations/${name}.nix).toplevel.drvPath`,
    program,
  );
  process.stdout.write(
    `${name}: facts written; toplevel ${system.ok ? "evaluates" : system.error.slice(-1500)}\n`,
  );
  if (!system.ok) process.exitCode = 1;
}
const further = evaluate(
  `import ${FOLDER}/further.nix { nixpkgs = ${nixpkgs}; given = builtins.fromJSON ${nixValue(others)}; }`,
  program,
);
process.stdout.write(further.ok ? `${further.out}\n` : further.error.slice(-2000));
if (!further.ok) process.exitCode = 1;
