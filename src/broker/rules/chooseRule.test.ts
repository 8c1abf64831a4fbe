import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { BodyRule, Rule } from "../../plan/index.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call, Header } from "../match.ts";
import { isRefusal } from "../Refusal.ts";
import { chooseRule } from "./chooseRule.ts";
import { needsBody } from "./needsBody.ts";

type Lists = Partial<Pick<InjectBrokerGrant, "rules" | "ask" | "deny" | "anonymous">>;
type Subject = Granted & { readonly grant: InjectBrokerGrant };

function granted(lists: Lists, places: InjectBrokerGrant["places"] = []): Subject {
  const host = { name: "api.test", port: 443, scheme: "https", v4: "11.0.0.1" } as const;
  return {
    bot: "basecamp",
    host,
    grant: {
      kind: "inject",
      name: "service",
      service: "service",
      hosts: [host],
      secret: "secret",
      phantom: "phantom-phantom",
      places,
      rules: [],
      anonymous: [],
      ...lists,
    },
  };
}

function rule(text: string, body?: BodyRule): Rule {
  const [method = "", path = ""] = text.split(" ");
  return { method, path, ...(body === undefined ? {} : { body }) };
}

function call(target: string, content?: string | object, type = "application/json"): Call {
  const [method = "", whole = ""] = target.split(" ");
  const [path = "", query] = whole.split("?");
  const headers: Header[] = content === undefined ? [] : [["Content-Type", type]];
  const head = { method, path, query: query === undefined ? "" : `?${query}`, host: "api.test" };
  if (content === undefined) return { ...head, headers, body: "none" };
  const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  const [media = "", parameter] = type.split("; ");
  const parameters = new Map(
    parameter === undefined ? [] : [parameter.split("=") as [string, string]],
  );
  return { ...head, headers, body: "length", content: { bytes, type: media, parameters } };
}

/** `allow`, `ask` or the code of the refusal. */
function verdict(lists: Lists, made: Call, authenticated = true): string {
  const chosen = chooseRule(granted(lists), made, made.path, authenticated);
  return isRefusal(chosen) ? chosen.refused : chosen.verdict;
}

const graphql = (type: "query" | "mutation" | "*", name: string, field?: string): BodyRule => ({
  kind: "graphql",
  type,
  name,
  ...(field === undefined ? {} : { field }),
});
const QUERIES = rule("POST /graphql", graphql("query", "*"));
const CREATE = rule("POST /graphql", graphql("mutation", "*", "create*"));

test("chooseRule() lets deny win over ask, ask over allow, and allows nothing unnamed", () => {
  const lists = {
    rules: [rule("* /v1/**")],
    ask: [rule("POST /v1/x")],
    deny: [rule("* /v1/keys/**")],
  };
  assert.equal(verdict(lists, call("GET /v1/x")), "allow");
  assert.equal(verdict(lists, call("POST /v1/x")), "ask");
  assert.equal(verdict({ ...lists, deny: lists.ask }, call("POST /v1/x")), "denied");
  assert.equal(verdict(lists, call("GET /v1/keys/1")), "denied");
  assert.equal(verdict(lists, call("GET /v1/Keys")), "denied");
  assert.equal(verdict(lists, call("GET /v2/x")), "not-allowed");
});

test("chooseRule() denies without a credential too, and asks about what anonymous rules allow", () => {
  const lists = {
    anonymous: [rule("GET /**")],
    deny: [rule("GET /keys")],
    ask: [rule("GET /big")],
  };
  assert.equal(verdict(lists, call("GET /x"), false), "allow");
  assert.equal(verdict(lists, call("GET /keys"), false), "denied");
  assert.equal(verdict(lists, call("GET /big"), false), "ask");
  assert.equal(verdict({ ...lists, anonymous: [] }, call("GET /big"), false), "not-allowed");
  assert.equal(verdict(lists, call("GET /x"), true), "not-allowed");
});

test("chooseRule() asks only about what a rule names exactly", () => {
  assert.equal(verdict({ ask: [rule("POST /deploy")] }, call("POST /deploy")), "ask");
  assert.equal(verdict({ ask: [rule("POST /deploy")] }, call("POST /Deploy/")), "not-allowed");
  const lists = { ask: [rule("POST /deploy")], rules: [rule("POST /**")] };
  assert.equal(verdict(lists, call("POST /Deploy/")), "ask");
});

test("chooseRule() wants every GraphQL operation and root field allowed", () => {
  const lists = { rules: [QUERIES, CREATE] };
  for (const [query, wanted] of [
    ["{ viewer { login } }", "allow"],
    ["query Q { a } query R { b }", "allow"],
    ["mutation M { createIssue { id } }", "allow"],
    ["query Q { a } mutation M { createIssue { id } }", "allow"],
    ["mutation createX { deleteRepository { id } }", "not-allowed"],
    ["mutation M { createIssue: deleteRepository { id } }", "not-allowed"],
    ["mutation M { createIssue { id } deleteRepository { id } }", "not-allowed"],
    ["mutation M { createIssue { id } ...F } fragment F on Mutation { delete }", "not-allowed"],
    ["query Q { a } subscription S { b }", "not-allowed"],
    ["# only a comment", "body-unreadable"],
    ["fragment F on Query { a }", "body-unreadable"],
    ["query Q { a", "body-unreadable"],
  ] as const) {
    assert.equal(verdict(lists, call("POST /graphql", { query })), wanted, query);
    const batch = [{ query: "{ a }" }, { query, variables: {} }];
    assert.equal(verdict(lists, call("POST /graphql", batch)), wanted, `batch: ${query}`);
    assert.equal(
      verdict(lists, call("POST /graphql", query, "application/graphql")),
      wanted,
      `document: ${query}`,
    );
  }
  const named = { rules: [rule("POST /graphql", graphql("query", "Get*"))] };
  assert.equal(verdict(named, call("POST /graphql", { query: "query GetX { a }" })), "allow");
  assert.equal(verdict(named, call("POST /graphql", { query: "{ a }" })), "not-allowed");
  const anonymous = { rules: [rule("POST /graphql", graphql("query", ""))] };
  assert.equal(verdict(anonymous, call("POST /graphql", { query: "{ a }" })), "allow");
  assert.equal(
    verdict(anonymous, call("POST /graphql", { query: "query Q { a }" })),
    "not-allowed",
  );
});

test("chooseRule() doesn't take a GraphQL body that servers could read differently", () => {
  const query = "{ a }";
  const sha256Hash = createHash("sha256").update(query).digest("hex");
  const lists = { rules: [QUERIES] };
  const persisted = (hash: string) => ({ persistedQuery: { version: 1, sha256Hash: hash } });
  assert.equal(verdict(lists, call("POST /graphql", { query, operationName: "x" })), "allow");
  assert.equal(
    verdict(lists, call("POST /graphql", { query, extensions: persisted(sha256Hash) })),
    "allow",
  );
  for (const body of [
    { extensions: persisted(sha256Hash) },
    { query, extensions: persisted("0".repeat(64)) },
    { query, extensions: { PersistedQuery: { sha256Hash: "0" } } },
    { query, id: "stored" },
    { query, documentId: "stored" },
    { query, Query: "mutation { b }" },
    `{"query":"{ a }","query":"mutation { b }"}`,
    `{"query":"{ a }","\\u0071uery":"mutation { b }"}`,
    { query: [query] },
    { query: null },
    [],
    [[{ query }]],
    "",
    "null",
    '\ufeff{"query":"{ a }"}',
  ])
    assert.equal(
      verdict(lists, call("POST /graphql", body)),
      "body-unreadable",
      JSON.stringify(body),
    );
  for (const type of ["text/plain", "application/json; charset=utf-16", "multipart/form-data", ""])
    assert.equal(verdict(lists, call("POST /graphql", { query }, type)), "body-unreadable", type);
  const twice = call("POST /graphql", { query });
  const headers: Header[] = [...twice.headers, ["content-type", "application/graphql"]];
  assert.equal(verdict(lists, { ...twice, headers }), "body-unreadable");
});

test("chooseRule() reads GraphQL in the query of the target", () => {
  const lists = { rules: [rule("* /graphql", graphql("query", "*"))] };
  const get = (query: string) => verdict(lists, call(`GET /graphql?${query}`));
  assert.equal(get(`query=${encodeURIComponent("{ a }")}&variables=%7B%7D`), "allow");
  assert.equal(get(`query=${encodeURIComponent("mutation { a }")}`), "not-allowed");
  assert.equal(get("query=%7Ba%7D&query=mutation%7Bb%7D"), "body-unreadable");
  assert.equal(get("query=%7Ba%7D&Query=mutation%7Bb%7D"), "body-unreadable");
  assert.equal(get("extensions=%7B%22persistedQuery%22%3A1%7D"), "body-unreadable");
  assert.equal(get("id=stored"), "body-unreadable");
  assert.equal(verdict(lists, call("GET /graphql")), "not-allowed");
  const post = (query: string) =>
    verdict(lists, call(`POST /graphql?${query}`, { query: "{ a }" }));
  assert.equal(post("tenant=x"), "allow");
  assert.equal(post("query=mutation%7Bb%7D"), "not-allowed");
  assert.equal(post("documentId=1"), "body-unreadable");
  assert.equal(post("queryId=1"), "body-unreadable");
});

test("chooseRule() denies a batch for one part of it, and a body that can't be read", () => {
  const lists = {
    rules: [rule("POST /graphql")],
    deny: [rule("POST /graphql", graphql("*", "*", "delete*"))],
  };
  const post = (body: string | object) => verdict(lists, call("POST /graphql", body));
  assert.equal(post({ query: "mutation { createIssue }" }), "allow");
  assert.equal(post({ query: "mutation { x: deleteRepository }" }), "denied");
  assert.equal(post({ query: "mutation { DELETEREPOSITORY }" }), "denied");
  assert.equal(post([{ query: "{ a }" }, { query: "mutation { deleteX }" }]), "denied");
  assert.equal(post({ query: "{ ...F } fragment F on Query { deleteX }" }), "denied");
  assert.equal(post({ extensions: { persistedQuery: {} } }), "denied");
  assert.equal(post("{"), "denied");
  assert.equal(verdict(lists, call("POST /graphql", { query: "{ a }" }, "text/plain")), "denied");
  assert.equal(verdict(lists, call("POST /graphql?id=1", { query: "{ a }" })), "denied");
  const { content: _none, ...unread } = call("POST /graphql", { query: "{ a }" });
  assert.equal(verdict(lists, unread), "denied");
});

test("chooseRule() asks when one part is to be asked about, and refuses if another isn't named at all", () => {
  const ask = [rule("POST /graphql", graphql("mutation", "*", "createIssue"))];
  const lists = { rules: [QUERIES], ask };
  const post = (query: string) => verdict(lists, call("POST /graphql", { query }));
  assert.equal(post("{ a }"), "allow");
  assert.equal(post("mutation { createIssue }"), "ask");
  assert.equal(post("query Q { a } mutation M { createIssue }"), "ask");
  assert.equal(post("mutation { createIssue deleteRepository }"), "not-allowed");
  assert.equal(post("mutation M { createIssue } mutation N { deleteRepository }"), "not-allowed");
  assert.equal(
    verdict({ ...lists, rules: [rule("POST /graphql")] }, call("POST /graphql", "{")),
    "ask",
  );
  assert.equal(verdict(lists, call("POST /graphql", "{")), "body-unreadable");
});

test("chooseRule() wants every JSON-RPC method allowed", () => {
  const lists = { rules: [rule("POST /rpc", { kind: "json-rpc", method: "eth_get*" })] };
  const one = (method: string) => ({ jsonrpc: "2.0", id: 1, method, params: [] });
  const post = (body: string | object) => verdict(lists, call("POST /rpc", body));
  assert.equal(post(one("eth_getBalance")), "allow");
  assert.equal(post([one("eth_getBalance"), one("eth_getCode")]), "allow");
  assert.equal(post(one("eth_sendTransaction")), "not-allowed");
  assert.equal(post([one("eth_getBalance"), one("eth_sendTransaction")]), "not-allowed");
  for (const body of [
    [],
    [[one("eth_getBalance")]],
    { jsonrpc: "2.0", id: 1, result: 1 },
    [one("eth_getBalance"), { jsonrpc: "2.0", id: 1, result: 1 }],
    { ...one("eth_getBalance"), Method: "eth_sendTransaction" },
    one(`eth_get${"x".repeat(256)}`),
    Array.from({ length: 1001 }, () => one("eth_getBalance")),
    { ...one("eth_getBalance"), "\u212aey": 1 },
    { id: 1, method: "eth_getBalance" },
    { ...one("eth_getBalance"), jsonrpc: "1.0" },
    `{"jsonrpc":"2.0","method":"eth_getBalance","method":"eth_sendTransaction"}`,
    "{}",
    "1",
  ])
    assert.equal(post(body), "body-unreadable", JSON.stringify(body));
  assert.equal(verdict(lists, call("POST /rpc")), "not-allowed");
});

test("chooseRule() keeps MCP to its tools and lets the rest of the protocol pass", () => {
  const lists = {
    rules: [
      rule("* /mcp", { kind: "mcp", tool: "search_*" }),
      rule("* /mcp", { kind: "mcp", tool: "read" }),
    ],
  };
  const tool = (name: unknown) => ({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name },
  });
  const plain = (method: string) => ({ jsonrpc: "2.0", id: 1, method });
  const post = (body: string | object) => verdict(lists, call("POST /mcp", body));
  for (const body of [
    tool("search_web"),
    tool("read"),
    plain("initialize"),
    plain("notifications/initialized"),
    plain("tools/list"),
    plain("resources/read"),
    [tool("read"), tool("search_x"), plain("ping")],
    { jsonrpc: "2.0", id: 1, result: {} },
  ])
    assert.equal(post(body), "allow", JSON.stringify(body));
  for (const body of [tool("delete"), [tool("read"), tool("delete")]])
    assert.equal(post(body), "not-allowed");
  for (const body of [
    tool(1),
    tool(undefined),
    { ...tool("read"), Method: "tools/call" },
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "read", Name: "delete" } },
    { jsonrpc: "2.0", id: 1, method: "tools/call", params: ["delete"] },
    plain("tools/execute"),
    plain("TOOLS/CALL"),
    { jsonrpc: "2.0", id: 1, result: {}, method: 1 },
    [],
  ])
    assert.equal(post(body), "body-unreadable", JSON.stringify(body));
  assert.equal(verdict(lists, call("GET /mcp")), "allow");
  assert.equal(verdict(lists, call("DELETE /mcp")), "allow");
  const denying = {
    rules: [rule("* /mcp")],
    deny: [rule("* /mcp", { kind: "mcp", tool: "delete*" })],
  };
  assert.equal(verdict(denying, call("POST /mcp", [tool("read"), tool("Delete_all")])), "denied");
  assert.equal(verdict(denying, call("POST /mcp", plain("tools/execute"))), "denied");
  assert.equal(verdict(denying, call("POST /mcp", tool("read"))), "allow");
  assert.equal(verdict(denying, call("GET /mcp")), "allow");
});

test("chooseRule() never allows more to a stricter grant", () => {
  const texts = ["* /**", "GET /a", "POST /a", "POST /a/*", "* /a/**", "GET /A/", "POST /b"];
  const bodies = [
    undefined,
    graphql("query", "*"),
    graphql("*", "*", "b"),
    graphql("mutation", "M"),
  ];
  const anyRule = fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom(...bodies))
    .map(([text, body]) => rule(text, body));
  const list = fc.array(anyRule, { maxLength: 4 });
  const target = fc.constantFrom(
    "GET /a",
    "POST /a",
    "POST /a/b",
    "POST /a/b;c",
    "GET /A",
    "POST /b",
  );
  const document = fc.constantFrom(
    "{ a }",
    "{ b }",
    "mutation M { b }",
    "{ a } mutation M { c }",
    "{",
    undefined,
  );
  const rank = (text: string) => ["allow", "ask"].indexOf(text) + 1 || 3;
  fc.assert(
    fc.property(
      list,
      list,
      list,
      anyRule,
      target,
      document,
      fc.nat(3),
      fc.boolean(),
      (...given) => {
        const [rules, ask, deny, added, where, query, index, authenticated] = given;
        const made = call(where, query === undefined ? undefined : { query });
        const before = { rules, anonymous: rules, ask, deny };
        const fewer = rules.toSpliced(index, 1);
        const loose = rank(verdict(before, made, authenticated));
        for (const stricter of [
          { ...before, rules: fewer, anonymous: fewer },
          { ...before, deny: [...deny, added] },
          { ...before, deny: [...deny, ...rules.slice(0, 1)] },
        ])
          assert.ok(rank(verdict(stricter, made, authenticated)) >= loose);
      },
    ),
    { numRuns: 3000 },
  );
});

test("needsBody() collects only bodies that a decision is about", () => {
  const place = { in: "path", template: "/bot{secret}" } as const;
  const form = { in: "form", name: "token" } as const;
  const upload = (path: string, type: string): Call => ({
    method: "POST",
    path,
    query: "",
    host: "api.test",
    headers: [["Content-Type", type]],
    body: "chunked",
  });
  const needs = (lists: Lists, made: Call, places: InjectBrokerGrant["places"] = []) =>
    needsBody([granted(lists, places)], made);
  const json = upload("/graphql", "application/json");
  assert.equal(needs({ rules: [QUERIES] }, json), true);
  assert.equal(needs({ rules: [QUERIES] }, { ...json, body: "none" }), false);
  assert.equal(
    needs({ rules: [QUERIES, rule("POST /**")] }, upload("/x", "application/json")),
    false,
  );
  assert.equal(
    needs({ rules: [rule("POST /**")], deny: [QUERIES] }, upload("/GraphQL/", "x/y")),
    true,
  );
  assert.equal(
    needs(
      { rules: [rule("POST /bot{secret}/rpc", graphql("*", "*"))] },
      upload("/botX/rpc", "x/y"),
      [place],
    ),
    true,
  );
  assert.equal(needs({}, json, [form]), false);
  assert.equal(needs({}, upload("/x", "application/x-www-form-urlencoded"), [form]), true);
  const { grant, ...rest } = granted({}, [place]);
  const shape = { method: "POST", path: "/bot{secret}/sendMessage", texts: ["/text"] };
  const checked: Subject = {
    ...rest,
    grant: { ...grant, content: { messages: [shape], previews: "off" } },
  };
  assert.equal(needsBody([checked], upload("/bot1:x/sendMessage", "application/json")), true);
  assert.equal(needsBody([checked], upload("/bot1:x/sendPhoto", "multipart/form-data")), false);
});

test("chooseRule() takes what will be said over a WebSocket for anything", () => {
  const upgrade = { ...call("GET /graphql"), upgrade: "websocket" } as const;
  const rules = [rule("* /**")];
  const body = graphql("*", "*", "delete*");
  assert.equal(verdict({ rules }, upgrade), "allow");
  assert.equal(verdict({ rules, deny: [rule("* /graphql", body)] }, upgrade), "denied");
  assert.equal(verdict({ rules, deny: [rule("* /graphql", body)] }, call("GET /graphql")), "allow");
  assert.equal(verdict({ rules: [rule("* /graphql", body)] }, upgrade), "body-unreadable");
});

test("chooseRule() refuses a query that makes another method of the call", () => {
  const lists = { rules: [rule("POST /x")], deny: [rule("DELETE /x")] };
  for (const query of [
    "_method=DELETE",
    "_METHOD=delete",
    "a=1&%5Fmethod=PUT",
    "a=1;_method=PUT",
    "X-HTTP-Method-Override=DELETE",
    "_method[]=DELETE",
  ])
    assert.equal(verdict(lists, call(`POST /x?${query}`)), "not-allowed", query);
  for (const query of ["_method=POST", "method=DELETE", "payment_method=card"])
    assert.equal(verdict(lists, call(`POST /x?${query}`)), "allow", query);
});
