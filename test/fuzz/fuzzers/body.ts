import assert from "node:assert/strict";
import { readForm } from "../../../src/broker/body/form.ts";
import { readJson, type JsonNode } from "../../../src/broker/body/json.ts";
import type { Fuzzer } from "../Fuzzer.ts";

/** A body that is taken for JSON is what JSON.parse reads, each value where it is said to stand. */
export const json: Fuzzer = {
  name: "json",
  what: "a text that readJson takes is what JSON.parse reads, and each value stands where it says",
  seeds: [
    '{"op":2,"d":{"token":"x\\u0041","n":[1,-2.5e3,true,null]},"e":{}}',
    '[{"a":"b"},"\\\\\\"\\/\\n",0.1]',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}',
  ].map((text) => Buffer.from(text)),
  words: [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u0000",
    "\\ud800",
    '"op":3,',
    "\xef\xbb\xbf",
    "1e999",
    "-0",
    "01",
    "tru",
    " ",
    "\t",
    "\x0b",
    "//",
    "\xff",
    "\x00",
    "__proto__",
  ],
  check(bytes) {
    const node = readJson(bytes);
    if (node === undefined) return;
    assert.deepEqual(valueOf(node, bytes), plain(JSON.parse(bytes.toString("utf8"))));
  },
};

/** A form that is taken is what URLSearchParams reads. */
export const form: Fuzzer = {
  name: "form",
  what: "a form that readForm takes is what URLSearchParams reads",
  seeds: ["a=b&c=d%20e&f=&g", "token=x%2By+z&&a=1&a=2", "%C3%A9=%E2%82%AC"].map((text) =>
    Buffer.from(text),
  ),
  words: ["&", "=", "%", "%00", "%26", "+", ";", "\xc3\xa9", "\xff", "%ff", "\n", " ", "a=b"],
  check(bytes) {
    const fields = readForm(bytes);
    if (fields === undefined) return;
    assert.deepEqual(
      fields.map(([name, value]) => [name, value]),
      // The empty field in front keeps it from taking a question mark for the beginning of a query.
      [...new URLSearchParams(`&${bytes.toString("utf8")}`)],
    );
  },
};

function valueOf(node: JsonNode, bytes: Buffer): unknown {
  if (node.kind === "scalar") {
    assert.deepEqual(JSON.parse(bytes.toString("utf8", node.start, node.end)), node.value);
    return node.value;
  }
  assert.ok(node.start < node.end);
  if (node.kind === "array") return node.items.map((each) => valueOf(each, bytes));
  return sorted([...node.members].map(([key, each]) => [key, valueOf(each, bytes)]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each));
  if (typeof value !== "object" || value === null) return value;
  return sorted(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** JSON.parse puts keys that look like numbers first. */
function sorted(entries: [string, unknown][]): [string, unknown][] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
