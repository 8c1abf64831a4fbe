import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { runSeawall } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

const ROOT = resolve(import.meta.dirname, "..");
const PAGES = [
  "README.md",
  "SECURITY.md",
  "native/README.md",
  ...globSync("docs/*.md", { cwd: ROOT }),
];

test("every declaration in the documentation is one that seawall plan takes", async (t) => {
  const folder = temporaryFolder(t);
  const declarations = PAGES.flatMap((page) =>
    blocks(page, "json5").filter((text) => text.includes("seawall: 1")),
  );
  assert.ok(declarations.length >= 2);
  for (const text of declarations) {
    writeFileSync(join(folder, "seawall.json5"), text);
    const { code, stderr } = await runSeawall(["plan", "seawall.json5"], { state: folder });
    assert.equal(code, 0, stderr);
  }
});

test("README's real declaration has no more than a dozen lines", () => {
  const [first = ""] = blocks("README.md", "json5");
  assert.ok(first.trimEnd().split("\n").length <= 12);
});

test("every command that the documentation names exists", async (t) => {
  const { stdout } = await runSeawall(["--help"], { state: temporaryFolder(t) });
  const known = new Set([...stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]));
  for (const page of PAGES) {
    const code = read(page).match(/```[\s\S]*?```|`[^`\n]+`/g) ?? [];
    for (const [, verb = ""] of code.join("\n").matchAll(/(?:^|[\s`/])seawall ([a-z]+)/g)) {
      assert.ok(known.has(verb), `${page}: seawall ${verb}`);
    }
  }
});

test("every ./dev command that the documentation names exists", () => {
  const script = readFileSync(join(ROOT, "dev"), "utf8");
  for (const page of PAGES) {
    for (const [, verb = ""] of read(page).matchAll(/\.\/dev ([a-z]+)/g)) {
      assert.match(script, new RegExp(`^ {2}${verb}\\)`, "m"), `${page}: ./dev ${verb}`);
    }
  }
});

test("every link between the pages leads somewhere", () => {
  for (const page of PAGES) {
    for (const [, target = ""] of read(page).matchAll(/\]\(([^)#\s]+)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      assert.ok(existsSync(join(ROOT, dirname(page), target)), `${page}: ${target}`);
    }
  }
});

function read(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    (match) => match[1] ?? "",
  );
}
