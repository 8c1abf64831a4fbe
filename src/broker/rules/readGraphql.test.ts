import assert from "node:assert/strict";
import { test } from "node:test";
import { readGraphql } from "./readGraphql.ts";

/** `mutation a: x y; query: z` for what was read. */
function told(document: string): string | undefined {
  return readGraphql(document)
    ?.map(({ type, name, fields }) => `${type} ${name}: ${fields.join(" ")}`)
    .join("; ");
}

test("readGraphql() names operations and their root fields", () => {
  for (const [document, wanted] of [
    ["{ viewer { login } }", "query : viewer"],
    ["query { a }", "query : a"],
    ["query Q { a b: c d(x: {y: [1, -2.5e3]}) @include(if: $z) { e } }", "query Q: a c d"],
    [
      'mutation M($i: In! = {a: "}"}) @live { createIssue(input: $i) { id } }',
      "mutation M: createIssue",
    ],
    ["subscription S { x }", "subscription S: x"],
    ["query A { a } mutation B { b }", "query A: a; mutation B: b"],
    ["{ __typename a }", "query : a"],
    ["{ __typename }", "query : __typename"],
    ["query query { fragment on }", "query query: fragment on"],
    ['"what it is for" query A { a }', "query A: a"],
    ["", ""],
  ] as const)
    assert.equal(told(document), wanted, document);
});

test("readGraphql() sees through aliases, fragments and directives", () => {
  assert.equal(
    told("mutation M { createIssue: deleteRepository { id } }"),
    "mutation M: deleteRepository",
  );
  assert.equal(
    told("query Q { ...F } fragment F on Query { a ...G } fragment G on Query { b ...F }"),
    "query Q: a b",
  );
  assert.equal(
    told("query Q { ... { a } ... on Query @x { b } ... @skip(if: false) { c } }"),
    "query Q: a b c",
  );
});

test("readGraphql() hides nothing in strings and comments, and takes nothing of them", () => {
  for (const [document, wanted] of [
    ["# mutation M { x }\nquery Q { a }", "query Q: a"],
    ["query Q { a } # x\rmutation M { b }", "query Q: a; mutation M: b"],
    ['query Q { a(s: "} mutation M { b }") }', "query Q: a"],
    ['query Q { a(s: "\\"} mutation M { b }") }', "query Q: a"],
    ['query Q { a(s: "\\\\") } mutation M { b }', "query Q: a; mutation M: b"],
    ['query Q { a(s: """ " \\""" } mutation M { x } """) }', "query Q: a"],
    ['query Q { a(s: """\\\\""") } mutation M { b }', undefined],
    ['query Q { a(s: """""") } mutation M { b }', "query Q: a; mutation M: b"],
    ['query Q { a(s: "") } mutation M { b }', "query Q: a; mutation M: b"],
    ['query Q { a(s: "#") } mutation M { b }', "query Q: a; mutation M: b"],
  ] as const)
    assert.equal(told(document), wanted, document);
});

test("readGraphql() refuses what servers could read in two ways", () => {
  for (const document of [
    "query Q { a }\u2028mutation M { b }",
    "# \u2028 mutation M { b }\nquery Q { a }",
    "#\u0085\nquery Q { a }",
    "\ufeffquery Q { a }",
    "query Q { a \0 }",
    "query Q { a \v }",
    "query Q { a",
    "query Q { a ) }",
    "query Q { a(x: [1) ] }",
    "query Q { }",
    "query Q",
    "query Q { ...Missing }",
    "query Q { ...F } fragment F on Q { a } fragment F on Q { b }",
    "fragment on on Q { a } query Q { ...on }",
    "extend type Query { a: Int } query Q { a }",
    "type Query { a: Int }",
    "Query Q { a }",
    'query Q { a(s: "x\ny") }',
    'query Q { a(s: "\\x") }',
    'query Q { a(s: "unclosed) }',
    'query Q { a(s: """unclosed) }',
    "query Q { ä }",
    "query Q { a(x: 01) }",
    "query Q { a(x: 1x) }",
    "{".repeat(1000),
    "{ ...".repeat(1000),
  ])
    assert.equal(told(document), undefined, document.slice(0, 60));
});

test("readGraphql() gives up on what would take long", () => {
  const many = Array.from({ length: 1000 }, (_each, index) => `f${index}`).join(" ");
  const fragment = `fragment F on Q { ${many} }`;
  assert.equal(readGraphql(`query A { ...F } ${fragment}`)?.[0]?.fields.length, 1000);
  const operations = Array.from({ length: 1000 }, (_each, index) => `query Q${index} { ...F }`);
  assert.equal(told(operations.join(" ") + fragment), undefined);
  assert.equal(told(`{ ${"a ".repeat(2_000_000)} }`), undefined);
  assert.equal(told(`{ ${"a".repeat(257)} }`), undefined);
});

test("readGraphql() reads long tokens", () => {
  const long = "x".repeat(500_000);
  assert.equal(told(`query Q { a(s: "${long}") }`), "query Q: a");
  assert.equal(told(`query Q { a(s: """${long}""") }`), "query Q: a");
  assert.equal(told(`query Q { a } #${long}`), "query Q: a");
  assert.equal(told(`query Q { a }${" ".repeat(500_000)}`), "query Q: a");
});
