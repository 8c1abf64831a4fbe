import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readArchive, writeArchive } from "../../../test/support/archive.ts";
import { catalogue } from "../../catalogue/index.ts";
import { errorText } from "../../cli/Output.ts";
import { checkShape, readDeclaration } from "../../declaration/index.ts";
import { portableInput } from "../../host/index.ts";
import { makePlan } from "../../plan/index.ts";
import { systemdTarget } from "./systemdTarget.ts";
import { TargetError } from "../TargetError.ts";

/**
 * One archive per case: the declaration, then what is printed for it, or why nothing is. Policies and
 * OpenClaw's own files are named only: other tests judge them. Written anew, to be read before they are
 * committed, with: SEAWALL_GOLDENS=write ./dev test src/targets/systemd/goldens.test.ts
 */
const FOLDER = join(import.meta.dirname, "../../../test/goldens/systemd");
const REWRITE = process.env["SEAWALL_GOLDENS"] === "write" && process.env["CI"] === undefined;

for (const file of readdirSync(FOLDER).toSorted()) {
  test(`goldens/systemd/${file}`, () => {
    const path = join(FOLDER, file);
    const text = readFileSync(path, "utf8");
    const source = readArchive(text).get("seawall.json5") ?? "";
    const made = writeArchive(new Map([["seawall.json5", source], ...printed(source)]));
    if (REWRITE) writeFileSync(path, made);
    else assert.equal(made, text);
  });
}

function printed(source: string): (readonly [string, string])[] {
  const { declaration, faults } = checkShape(readDeclaration(source).value);
  assert.deepEqual(faults, []);
  assert.ok(declaration !== undefined);
  const { plan, faults: more } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.deepEqual(more, []);
  assert.ok(plan !== undefined);
  try {
    return systemdTarget
      .render(portableInput(plan))
      .map(({ path, mode, bytes }) => [
        `${path} ${mode.toString(8)}`,
        path.startsWith("bots/") || path.endsWith(".policy") ? "" : Buffer.from(bytes).toString(),
      ]);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return [["diagnostic", errorText(error)]];
  }
}
