import assert from "node:assert/strict";
import JSON5 from "json5";
import { checkShape, readDeclaration } from "../../../src/declaration/index.ts";
import type { Fuzzer } from "../Fuzzer.ts";

const SEEDS = [
  `{
  // a bot
  version: 1,
  secrets: { anthropic: "vault" },
  bots: { basecamp: { openclaw: { version: "2026.9.6" }, model: 'anthropic/claude', grants: { anthropic: true, "sonarr": { hosts: ["https://sonarr.test:8989"], allow: ["GET /api/**"] } } } },
}`,
  `{"a":[1,-2.5e3,0x1F,+Infinity,NaN,.5,5.],"b":"\\u0041\\x41\\\n",'c':null,}`,
  "[]",
];

/** Reading never throws, and what the reference implementation of JSON5 reads too, it reads alike. */
export const declaration: Fuzzer = {
  name: "declaration",
  what: "readDeclaration and checkShape never throw, and what both read is what json5 reads",
  seeds: SEEDS.map((text) => Buffer.from(text)),
  words: [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "'",
    "\\",
    "//",
    "/*",
    "*/",
    "\\u2028",
    "__proto__",
    "constructor",
    "0x",
    "1e999",
    "-0",
    "\ufeff",
    "null",
    "true",
    "bots",
    "grants",
    "version",
  ],
  check(bytes) {
    const text = bytes.toString("utf8");
    const { value, faults, positions } = readDeclaration(text);
    checkShape(value);
    positions.value(["bots", "basecamp", 0]);
    positions.key(["bots"]);
    if (faults.length > 0) return;
    // The library takes more inside of strings (raw line ends, digits behind a backslash), which can
    // mean only one thing.
    const reference = byReference(text);
    if (reference !== undefined) assert.deepEqual(plain(value), plain(reference.value));
  },
};

function byReference(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON5.parse(text) };
  } catch {
    return undefined;
  }
}

/** Without prototypes, so that only what stands in the text is compared. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each));
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, each]) => [key, plain(each)]);
}
