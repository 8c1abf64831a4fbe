import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryRule } from "../catalogue/index.ts";
import type { Fault } from "../declaration/index.ts";
import { formatRule } from "./formatRule.ts";
import { allRules, checkEffect, planRules, type RuleScope } from "./planRules.ts";
import type { HostPlan } from "./Plan.ts";

function host(name: string): HostPlan {
  return { name, port: 443, scheme: "https" };
}

const HEADER: RuleScope = {
  hosts: [host("api.test"), host("git.test")],
  places: [{ in: "header", name: "authorization", prefix: "Bearer " }],
  git: "git.test",
};
const PATH: RuleScope = {
  hosts: [host("api.test")],
  places: [{ in: "path", template: "/bot{secret}" }],
  git: undefined,
};

function texts(entry: EntryRule, use: "allow" | "forbid" = "allow", scope = HEADER): string[] {
  const faults: Fault[] = [];
  const planned = planRules([entry], use, scope, [], faults);
  assert.deepEqual(faults, []);
  return allRules(planned).map(formatRule);
}

function faultOf(entry: EntryRule, scope = HEADER): string | undefined {
  const faults: Fault[] = [];
  planRules([entry], "allow", scope, ["allow"], faults);
  return faults[0]?.message;
}

test("planRules() reads calls, with a host or without", () => {
  assert.deepEqual(texts("GET /a/*"), ["GET /a/*"]);
  assert.deepEqual(texts("* api.test/a/**"), ["* api.test/a/**"]);
  assert.deepEqual(texts({ call: "GET /a", host: "git.test", query: { z: "1", a: "2" } }), [
    "GET git.test/a?a=2&z=1",
  ]);
});

test("planRules() reads what bodies must say", () => {
  for (const [more, text] of [
    [{ graphql: "query" }, "graphql query *"],
    [{ graphql: "query Viewer*" }, "graphql query Viewer*"],
    [{ graphql: "mutation", field: "issue*" }, "graphql mutation * issue*"],
    [{ jsonRpc: "eth_*" }, "json-rpc eth_*"],
    [{ mcp: "search_*" }, "mcp search_*"],
  ] as const)
    assert.deepEqual(texts({ call: "POST /x", ...more }), [`POST /x ${text}`]);
});

test("planRules() makes git's calls: writing allows reading too, and forbids only writing", () => {
  const read = [
    "GET git.test/o/r/info/refs?service=git-upload-pack",
    "GET git.test/o/r.git/info/refs?service=git-upload-pack",
    "POST git.test/o/r/git-upload-pack",
    "POST git.test/o/r.git/git-upload-pack",
  ];
  const write = read.map((text) => text.replace("upload", "receive"));
  assert.deepEqual(texts({ git: "o/r", access: "read" }), read);
  assert.deepEqual(texts({ git: "o/r.git", access: "read" }), read);
  assert.deepEqual(
    texts({ git: "o/r", access: "write" }).toSorted(),
    [...read, ...write].toSorted(),
  );
  assert.deepEqual(texts({ git: "o/r", access: "write" }, "forbid"), write);
  assert.deepEqual(texts({ git: "o/*", access: "read" }), [
    "GET git.test/o/*/info/refs?service=git-upload-pack",
    "POST git.test/o/*/git-upload-pack",
  ]);
});

test("planRules() makes S3's calls for a bucket by path and at its own host, and never within another bucket's", () => {
  const scope: RuleScope = {
    ...HEADER,
    hosts: [host("s3.test"), host("photos.s3.test"), host("docs.s3.test")],
  };
  assert.deepEqual(texts({ s3: "docs", access: "read" }, "allow", scope), [
    "GET s3.test/docs/**",
    "HEAD s3.test/docs/**",
    "GET docs.s3.test/**",
    "HEAD docs.s3.test/**",
  ]);
  assert.deepEqual(
    texts({ s3: "docs", access: "read" }, "allow", {
      ...scope,
      hosts: [host("s3.test"), host("docs.other.test")],
    }),
    ["GET /docs/**", "HEAD /docs/**"],
    "a host that only begins like the bucket is none of its own",
  );
  assert.deepEqual(texts({ s3: "docs", access: "read", host: "docs.s3.test" }, "allow", scope), [
    "GET docs.s3.test/**",
    "HEAD docs.s3.test/**",
  ]);
  assert.ok(
    texts({ s3: "docs", access: "write" }, "allow", scope).every(
      (text) => !/^(PUT|POST|DELETE) s3\.test\/docs(\/\*\*)?$/.test(text),
    ),
    "the bucket itself isn't changed",
  );
});

test("planRules() finds what is wrong with a rule", () => {
  for (const entry of [
    {},
    { call: "GET /a", git: "o/r" },
    { git: "o/r" },
    { call: "GET /a", access: "read" },
    { git: "o/r", access: "read", graphql: "query" },
    { call: "POST /a", graphql: "query", mcp: "x" },
    { call: "POST /a", field: "x" },
    { call: "GET api.test/a", host: "api.test" },
    "GET /a/../b",
    "GET other.test/a",
    { git: "o/../r", access: "read" },
    { git: "o/r", access: "read", host: "nowhere.test" },
    "GET /bot{secret}/x",
  ] as const)
    assert.notEqual(faultOf(entry), undefined, JSON.stringify(entry));
  assert.equal(faultOf("GET /bot{secret}/x", PATH), undefined);
  assert.notEqual(faultOf("GET /other{secret}/x", PATH), undefined);
});

test("checkEffect() finds rules that could never allow anything", () => {
  const effect = (allow: EntryRule[], deny: EntryRule[], scope: RuleScope): string[] => {
    const faults: Fault[] = [];
    const plan = (entries: EntryRule[], key: string) =>
      planRules(entries, key === "deny" ? "forbid" : "allow", scope, [key], faults);
    checkEffect(plan(allow, "allow"), plan(deny, "deny"), scope.places, faults);
    return faults.map(({ path }) => path.join("."));
  };
  assert.deepEqual(effect(["GET /a", "GET /b"], ["* /a"], HEADER), ["allow.0"]);
  assert.deepEqual(effect(["GET /a/*/c"], ["GET /a/**"], HEADER), ["allow.0"]);
  assert.deepEqual(effect(["GET /a/**"], ["GET /a/*"], HEADER), []);
  assert.deepEqual(effect(["* /a"], ["GET /a"], HEADER), []);
  assert.deepEqual(effect(["GET /a"], ["GET api.test/a"], HEADER), []);
  assert.deepEqual(
    effect([{ git: "o/r", access: "write" }], [{ git: "o/r", access: "write" }], HEADER),
    [],
    "reading is left",
  );
  assert.deepEqual(effect(["GET /x", "GET /**", "GET /*/x"], [], PATH), ["allow.0"]);
});
