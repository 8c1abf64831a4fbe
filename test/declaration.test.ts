import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { catalogue } from "../src/catalogue/index.ts";
import { errorText } from "../src/cli/Output.ts";
import {
  checkShape,
  DeclarationError,
  locateFaults,
  readDeclaration,
  type Fault,
} from "../src/declaration/index.ts";
import { makePlan } from "../src/plan/index.ts";
import { readArchive, writeArchive } from "./support/archive.ts";

/**
 * One archive per case: the declaration, then the whole plan or the whole diagnostic. They are
 * written anew, to be read before they are committed, with: SEAWALL_GOLDENS=write ./dev test test/declaration.test.ts
 */
const FOLDER = join(import.meta.dirname, "goldens/declaration");
const REWRITE = process.env["SEAWALL_GOLDENS"] === "write" && process.env["CI"] === undefined;

for (const file of readdirSync(FOLDER).toSorted()) {
  test(`goldens/declaration/${file}`, () => {
    const path = join(FOLDER, file);
    const text = readFileSync(path, "utf8");
    const source = readArchive(text).get("seawall.json5") ?? "";
    const made = writeArchive(new Map([["seawall.json5", source], ...resultOf(source)]));
    if (REWRITE) writeFileSync(path, made);
    else assert.equal(made, text);
  });
}

function resultOf(source: string): Map<string, string> {
  const { value, faults, positions } = readDeclaration(source);
  const diagnostic = (all: readonly Fault[]): Map<string, string> =>
    new Map([
      [
        "diagnostic",
        errorText(new DeclarationError(locateFaults(all, "seawall.json5", positions))),
      ],
    ]);
  if (value === undefined) return diagnostic(faults);
  const shape = checkShape(value);
  if (shape.declaration === undefined) return diagnostic([...faults, ...shape.faults]);
  const { plan, faults: planFaults } = makePlan(shape.declaration, {
    catalogue,
    versions: ["2026.9.6"],
  });
  if (plan === undefined || faults.length > 0) return diagnostic([...faults, ...planFaults]);
  return new Map([["plan.json", `${JSON.stringify(plan, null, 2)}\n`]]);
}
