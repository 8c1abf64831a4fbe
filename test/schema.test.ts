import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { jsonSchema } from "../src/declaration/index.ts";

test("schema/ holds the JSON Schema of the declaration as it is now", () => {
  const written = readFileSync(new URL("../schema/seawall.schema.json", import.meta.url), "utf8");
  assert.equal(
    written,
    `${JSON.stringify(jsonSchema(), null, 2)}\n`,
    "write it anew with: ./dev seawall schema > schema/seawall.schema.json",
  );
});
