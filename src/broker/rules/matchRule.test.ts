import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule } from "../../plan/index.ts";
import { readTarget } from "../match.ts";
import { isRefusal } from "../Refusal.ts";
import { formatRule } from "./formatRule.ts";
import { matchGlob, matchRule, type Purpose } from "./matchRule.ts";

function fits(rule: string, call: string, purpose: Purpose, more: Partial<Rule> = {}): boolean {
  const [method = "", path = ""] = rule.split(" ");
  const [sent = "", target = ""] = call.split(" ");
  const read = readTarget(target);
  assert.ok(!isRefusal(read), `${target} is refused before`);
  return matchRule({ method, path, ...more }, { method: sent, host: "a.test", ...read }, purpose);
}

test("matchRule() agrees with a regular expression of the same meaning", () => {
  const segment = fc.constantFrom("a", "b", "*", "a*");
  const pattern = fc.tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean());
  const path = fc.array(fc.constantFrom("a", "b", "*", "a*", "ab"), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(pattern, path, ([segments, open], parts) => {
      const escaped = segments.map((each) => (each === "*" ? "[^/]+" : each.replace("*", "\\*")));
      const expression = new RegExp(`^/${escaped.join("/")}${open ? "(?:/.*)?" : ""}$`);
      const rule = `GET /${segments.join("/")}${open ? "/**" : ""}`;
      const target = `/${parts.join("/")}`;
      for (const purpose of ["allow", "forbid"] as const)
        assert.equal(fits(rule, `GET ${target}`, purpose), expression.test(target));
      assert.equal(fits(rule, `POST ${target}`, "allow"), false);
    }),
  );
});

test("matchRule() allows only what fits in every reading", () => {
  for (const [rule, call, wanted] of [
    ["GET /users/@me", "GET /users/@me", true],
    ["GET /users/@me", "GET /users/%40me", true],
    ["GET /a%20b", "GET /a%20b", true],
    ["GET /v1/*", "GET /v1/x;y=1", true],
    ["GET /v1/x", "GET /v1/x;y=1", false],
    ["GET /v1/x;y=1", "GET /v1/x;y=1", true],
    ["GET /v1/x", "GET /v1/X", false],
    ["GET /v1/x", "GET /v1/x/", false],
    ["GET /v1/x/", "GET /v1/x/", true],
    ["GET /v1/x/", "GET /v1/x", false],
    ["GET /v1/**", "GET /v1", true],
    ["GET /v1/*", "GET /v1/", false],
    ["GET /v1", "HEAD /v1", false],
    ["GET /**", "GET /", true],
  ] as const)
    assert.equal(fits(rule, call, "allow"), wanted, `${rule} for ${call}`);
});

test("matchRule() forbids what fits in some reading", () => {
  const rule = "GET /admin/@keys";
  for (const target of [
    "/admin/@keys",
    "/admin/%40keys",
    "/Admin/@KEYS",
    "/admin/@keys/",
    "/admin/@keys;a=b",
    "/admin;x/@keys",
    "/admin%3bx/%40keys",
  ])
    for (const method of ["GET", "HEAD"])
      assert.equal(fits(rule, `${method} ${target}`, "forbid"), true, target);
  assert.equal(fits("GET /system", "GET /%C5%BFystem", "forbid"), true);
  for (const call of ["POST /admin/@keys", "GET /admin/keys", "GET /admin", "GET /x/admin/@keys"])
    assert.equal(fits(rule, call, "forbid"), false, call);
});

test("matchRule() never takes an encoded {secret} for the credential's place", () => {
  assert.equal(fits("GET /bot{secret}/x", "GET /bot%7Bsecret%7D/x", "allow"), false);
  const head = { method: "GET", path: "/bot{secret}/x", query: "", host: "a.test" };
  assert.equal(matchRule({ method: "GET", path: "/bot{secret}/x" }, head, "allow"), true);
});

test("matchRule() keeps a rule to its host", () => {
  assert.equal(fits("GET /x", "GET /x", "allow", { host: "a.test" }), true);
  assert.equal(fits("GET /x", "GET /x", "allow", { host: "b.test" }), false);
  assert.equal(fits("GET /x", "GET /x", "forbid", { host: "b.test" }), false);
});

test("matchRule() reads a query as git's servers do, or not at all", () => {
  const more = { query: { service: "git-upload-pack" } };
  const rule = "GET /a/b.git/info/refs";
  for (const [query, allowed, forbidden] of [
    ["?service=git-upload-pack", true, true],
    ["?service=git%2Dupload-pack", true, true],
    ["?%73ervice=git-upload-pack", true, true],
    ["?x=1&service=git-upload-pack", true, true],
    ["", false, false],
    ["?service=git-receive-pack", false, false],
    ["?service=git%252Dupload-pack", false, false],
    ["?service=git-upload-pack&service=git-receive-pack", false, true],
    ["?service=git-upload-pack&service=git-upload-pack", false, true],
    ["?service=git-upload-pack&Service=git-receive-pack", false, true],
    ["?service=git-upload-pack&service[]=git-receive-pack", false, true],
    ["?service=git-upload-pack;service=git-receive-pack", false, true],
    ["?service=git-upload-pack&x=%zz", false, true],
    ["?SERVICE=GIT-UPLOAD-PACK", false, true],
  ] as const) {
    assert.equal(fits(rule, `GET /a/b.git/info/refs${query}`, "allow", more), allowed, query);
    assert.equal(fits(rule, `GET /a/b.git/info/refs${query}`, "forbid", more), forbidden, query);
  }
});

test("matchGlob() agrees with a regular expression of the same meaning", () => {
  const text = (chars: string, most: number) =>
    fc.array(fc.constantFrom(...chars.split("")), { maxLength: most }).map((all) => all.join(""));
  fc.assert(
    fc.property(text("ab*", 8), text("ab", 12), (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll("*", ".*")}$`);
      assert.equal(matchGlob(pattern, name, "allow"), expression.test(name));
    }),
    { numRuns: 2000 },
  );
  assert.equal(matchGlob("Delete*", "deleteRepo", "forbid"), true);
  assert.equal(matchGlob("Delete*", "deleteRepo", "allow"), false);
  // A regular expression would not come back from this.
  assert.equal(matchGlob("*a".repeat(200), "a".repeat(5000) + "b", "allow"), false);
});

test("formatRule() writes a rule on one line", () => {
  const rule = { method: "POST", path: "/graphql" };
  for (const [given, text] of [
    [rule, "POST /graphql"],
    [{ ...rule, host: "a.test" }, "POST a.test/graphql"],
    [{ ...rule, query: { service: "x", y: "z" } }, "POST /graphql?service=x&y=z"],
    [
      { ...rule, body: { kind: "graphql", type: "mutation", name: "create*" } },
      "POST /graphql graphql mutation create*",
    ],
    [
      { ...rule, body: { kind: "graphql", type: "query", name: "*", field: "viewer" } },
      "POST /graphql graphql query * viewer",
    ],
    [{ ...rule, body: { kind: "json-rpc", method: "eth_*" } }, "POST /graphql json-rpc eth_*"],
    [{ ...rule, body: { kind: "mcp", tool: "search" } }, "POST /graphql mcp search"],
  ] as const)
    assert.equal(formatRule(given), text);
});
