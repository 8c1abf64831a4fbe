import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

/**
 * Which rooms each room may import from; docs/architecture.md says why. A room that is not here
 * fails the test, so that its place is thought about.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  faults: [],
  files: [],
  paths: [],
  needles: [],
  shapes: [],
  declaration: ["faults"],
  catalogue: [],
  plan: ["declaration", "catalogue"],
  secrets: ["plan", "needles", "faults", "files"],
  authority: ["faults", "files"],
  record: ["faults"],
  wall: ["faults"],
  profiles: ["declaration", "faults"],
  run: ["profiles", "wall", "faults"],
  openclaw: ["plan", "faults", "files"],
  targets: ["plan", "wall", "faults", "files"],
  broker: ["plan", "secrets", "record", "needles", "faults"],
  services: ["broker", "wall"],
  host: [
    "declaration",
    "catalogue",
    "plan",
    "secrets",
    "authority",
    "wall",
    "openclaw",
    "broker",
    "services",
    "record",
    "profiles",
    "run",
    "targets",
    "faults",
    "files",
    "paths",
  ],
  demo: ["authority", "secrets", "run", "host", "needles", "files", "faults"],
  prove: ["authority", "secrets", "plan", "wall", "run", "profiles", "host", "faults"],
  scan: ["host", "wall", "needles", "shapes", "faults"],
  agents: ["declaration", "host", "wall", "shapes", "faults", "files"],
  migration: ["declaration", "catalogue", "plan", "secrets", "openclaw", "host", "files", "faults"],
  cli: [
    "profiles",
    "run",
    "paths",
    "declaration",
    "catalogue",
    "plan",
    "secrets",
    "openclaw",
    "record",
    "host",
    "targets",
    "demo",
    "prove",
    "scan",
    "migration",
    "agents",
    "faults",
    "files",
  ],
};

/** Edges that the table allows, but only for types: the code must not be loaded into the process. */
const TYPES_ONLY: Readonly<Record<string, string>> = {
  "host -> broker": "the supervisor must not hold code that reads secrets from their stores",
};

/** Modules that a room must not load, with the reason. */
const FORBIDDEN_MODULES: readonly { room: string; module: RegExp; reason: string }[] = [
  {
    room: "broker",
    module: /^node:child_process$/,
    reason: "the broker can't execute anything (invariant 10)",
  },
  {
    room: "broker",
    module: /^(zod|undici|@peculiar\/|@humanwhocodes\/)/,
    reason: "memory: one broker serves many bots",
  },
  {
    room: "declaration",
    module: /^node:(fs|net|child_process|os)/,
    reason: "the same text gives the same result on any machine (invariant 7)",
  },
  { room: "plan", module: /^node:(fs|child_process|os)/, reason: "the plan is pure (invariant 7)" },
  { room: "catalogue", module: /^node:/, reason: "entries are data" },
  {
    room: "targets",
    module: /^node:(net|child_process|os)/,
    reason: "a target prints the same for the same plan, on any machine (invariant 7)",
  },
];

interface Import {
  readonly file: string;
  readonly room: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const sources = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) => !isTestCode(file));
const imports = sources.flatMap(importsOf);

test("every room's arrows go the way docs/architecture.md says", () => {
  const wrong = imports.flatMap(({ file, room, specifier }) => {
    const target = targetRoom(file, specifier);
    if (target === undefined || target === room) return [];
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) return [`${file}: the room "${room}" has no place in MAY_IMPORT`];
    return allowed.includes(target) ? [] : [`${file}: ${room} must not import ${target}`];
  });
  assert.deepEqual(wrong, []);
});

test("rooms see each other only through index.ts", () => {
  const wrong = imports
    .filter(({ file, room, specifier }) => {
      const target = targetRoom(file, specifier);
      return (
        target !== undefined && target !== room && !/^(\.\.\/)+[^/]+\/index\.ts$/.test(specifier)
      );
    })
    .map(({ file, specifier }) => `${file}: ${specifier}`);
  assert.deepEqual(wrong, []);
});

test("edges for types only load no code", () => {
  const wrong = imports.flatMap(({ file, room, specifier, typeOnly }) => {
    const reason = TYPES_ONLY[`${room} -> ${targetRoom(file, specifier) ?? ""}`];
    return reason === undefined || typeOnly ? [] : [`${file}: ${specifier}: ${reason}`];
  });
  assert.deepEqual(wrong, []);
});

test("no room loads a module that it must not", () => {
  const wrong = imports.flatMap(({ file, room, specifier, typeOnly }) =>
    FORBIDDEN_MODULES.filter(
      (rule) => !typeOnly && rule.room === room && rule.module.test(specifier),
    ).map(({ reason }) => `${file}: ${specifier}: ${reason}`),
  );
  assert.deepEqual(wrong, []);
});

test("only the stores, broker/inject, broker/mint and broker/redact reveal a secret", () => {
  const revealing = sources.filter(
    (file) =>
      readFileSync(join(ROOT, file), "utf8").includes(".revealSecret(") &&
      !/^src\/(secrets|broker\/(inject|mint|redact))\//.test(file),
  );
  assert.deepEqual(revealing, []);
});

test("every edge of MAY_IMPORT is in use, so that the table stays true", () => {
  const used = new Set(
    imports.map(({ file, room, specifier }) => `${room} -> ${targetRoom(file, specifier) ?? ""}`),
  );
  const unused = Object.entries(MAY_IMPORT).flatMap(([room, targets]) =>
    targets.map((target) => `${room} -> ${target}`).filter((edge) => !used.has(edge)),
  );
  assert.deepEqual(unused, []);
});

function isTestCode(file: string): boolean {
  return file.endsWith(".test.ts") || file.includes("/testing/");
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const room = file.split("/")[1] ?? "";
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^;"']*?\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return [...statements].map((match) => {
    const braces = /^(?:import|export)\s+\{([^}]*)\}/.exec(match[0])?.[1];
    const allTypes = braces
      ?.split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .every((name) => name.startsWith("type "));
    return {
      file,
      room,
      specifier: match[2] ?? match[3] ?? "",
      typeOnly: match[1] !== undefined || allTypes === true,
    };
  });
}

/** The room that a relative import leads to; undefined for packages and Node's modules. */
function targetRoom(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return relative(join(ROOT, "src"), resolve(ROOT, dirname(file), specifier)).split("/")[0];
}
