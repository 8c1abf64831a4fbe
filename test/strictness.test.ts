import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseRule } from "../src/broker/rules/chooseRule.ts";
import { formatRule as formatAsBroker } from "../src/broker/rules/formatRule.ts";
import type { Granted, InjectBrokerGrant } from "../src/broker/Deployment.ts";
import type { Call } from "../src/broker/match.ts";
import { isRefusal } from "../src/broker/Refusal.ts";
import { catalogue } from "../src/catalogue/index.ts";
import { checkShape } from "../src/declaration/index.ts";
import { formatRule, makePlan, type BotPlan, type InjectGrant } from "../src/plan/index.ts";

/** Invariant 8: a stricter declaration never gives a looser plan, judged by what the broker does with it. */

const RULES = [
  "GET /a",
  "GET /a/*",
  "* /a/**",
  "GET api.test/**",
  "POST /b",
  { call: "GET /a", query: { x: "1" } },
  { call: "POST /graphql", graphql: "query" },
  { call: "POST /graphql", graphql: "mutation", field: "make*" },
  { git: "o/r", access: "read" },
  { git: "o/r", access: "write" },
  { git: "o/*", access: "write" },
  { s3: "docs", access: "read" },
  { s3: "docs", access: "write" },
] as const;

const CALLS: readonly Call[] = [
  ...["GET", "POST", "PUT", "HEAD", "DELETE"].flatMap((method) =>
    ["/a", "/a/", "/A", "/a/b", "/a/b/c", "/b", "/docs/x", "/docs"].map((path) =>
      call(method, path),
    ),
  ),
  call("GET", "/a", "?x=1"),
  call("GET", "/a", "?x=2"),
  ...["o/r", "o/r.git", "o/s"].flatMap((repository) =>
    ["git-upload-pack", "git-receive-pack"].flatMap((service) => [
      call("GET", `/${repository}/info/refs`, `?service=${service}`),
      call("POST", `/${repository}/${service}`),
    ]),
  ),
  ...["{ a }", "query Q { a }", "mutation { makeIt { id } }", "mutation { drop { id } }"].map(
    (query) => call("POST", "/graphql", "", JSON.stringify({ query })),
  ),
];

function call(method: string, path: string, query = "", body?: string): Call {
  const head = { method, path, query, host: "api.test" };
  if (body === undefined) return { ...head, headers: [], body: "none" };
  return {
    ...head,
    headers: [["Content-Type", "application/json"]],
    body: "length",
    content: { bytes: Buffer.from(body), type: "application/json", parameters: new Map() },
  };
}

interface Lists {
  readonly allow: readonly unknown[];
  readonly ask?: readonly unknown[];
  readonly deny?: readonly unknown[];
}

/** A bot with one grant of a service; `undefined` when the declaration is refused. */
function planOf(grant: object, bot: object = {}): BotPlan | undefined {
  const { declaration } = checkShape({
    seawall: 1,
    secrets: { anthropic: { vault: "a" } },
    services: {
      svc: {
        hosts: ["https://api.test.example", "https://api.test"],
        credential: [{ header: "x-key" }],
        allow: ["GET /own"],
        git: "api.test",
        usage: "openai",
      },
    },
    bots: {
      a: {
        openclaw: "2026.9.6",
        model: "anthropic/x",
        grants: {
          anthropic: { secret: "anthropic" },
          svc: { secret: "anthropic", ...grant },
        },
        ...bot,
      },
    },
  });
  assert.ok(declaration);
  const { plan } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  return plan?.bots[0];
}

function serviceOf(plan: BotPlan): InjectGrant {
  const grant = plan.grants.find(({ name }) => name === "svc");
  assert.ok(grant?.kind === "inject");
  return grant;
}

/** 2: made, 1: asked about, 0: refused. */
function verdicts(plan: BotPlan): number[] {
  const { dial: _dial, ...grant } = serviceOf(plan);
  const [, host] = grant.hosts;
  assert.ok(host);
  const subject: Granted & { readonly grant: InjectBrokerGrant } = {
    bot: "a",
    host,
    grant: { ...grant, phantom: "phantom-phantom" },
  };
  return CALLS.map((made) => {
    const chosen = chooseRule(subject, made, made.path, true);
    return isRefusal(chosen) ? 0 : chosen.verdict === "ask" ? 1 : 2;
  });
}

const list = fc.array(fc.constantFrom(...RULES), { maxLength: 5 });
const lists = fc.record({ allow: list, ask: list, deny: list });

function never(looser: (before: number, after: number) => boolean) {
  return (before: BotPlan | undefined, after: BotPlan | undefined): void => {
    if (before === undefined || after === undefined) return;
    const now = verdicts(after);
    for (const [index, was] of verdicts(before).entries()) {
      const made = CALLS[index];
      assert.ok(
        !looser(was, now[index] ?? 0),
        `${made?.method ?? ""} ${made?.path ?? ""}${made?.query ?? ""}: ${was} became ${now[index] ?? ""}`,
      );
    }
  };
}

const neverLooser = never((before, after) => after > before);

test("a rule less in allow never allows more", () => {
  fc.assert(
    fc.property(lists, fc.nat(4), (given: Lists, index) => {
      const fewer = given.allow.toSpliced(index, 1);
      neverLooser(planOf(given), planOf({ ...given, allow: fewer }));
    }),
  );
});

test("a rule more in deny never allows more", () => {
  fc.assert(
    fc.property(lists, fc.constantFrom(...RULES), (given: Lists, rule) => {
      neverLooser(planOf(given), planOf({ ...given, deny: [...(given.deny ?? []), rule] }));
    }),
  );
});

test("a rule more in ask never lets a call pass unasked, but for the look at a repository's refs", () => {
  const neverUnasked = never((before, after) => after === 2 && before < 2);
  fc.assert(
    fc.property(lists, fc.constantFrom(...RULES), (given: Lists, rule) => {
      if (typeof rule === "object" && "git" in rule) return;
      neverUnasked(planOf(given), planOf({ ...given, ask: [...(given.ask ?? []), rule] }));
    }),
  );
});

test("a rule that moves from allow to ask never allows more", () => {
  fc.assert(
    fc.property(lists, (given: Lists) => {
      const [first, ...allow] = given.allow;
      if (first === undefined) return;
      neverLooser(planOf(given), planOf({ ...given, allow, ask: [...(given.ask ?? []), first] }));
    }),
  );
});

test("an own list that is written out as '...' is the one that is there without", () => {
  assert.deepEqual(planOf({ allow: ["..."] }), planOf({}));
});

test("limits, content and asks about hosts change nothing else of the plan", () => {
  const limits = { callsPerMinute: 1, tokensPerDay: 2 };
  const plain = planOf({});
  assert.ok(plain);
  const limited = planOf({ limits }, { limits });
  assert.ok(limited);
  const { limits: ofBot, ...rest } = limited;
  assert.deepEqual(ofBot, limits);
  assert.deepEqual(
    { ...rest, grants: rest.grants.map(({ limits: _limits, ...grant }) => grant) },
    plain,
  );
});

test("every service of the catalogue can be granted as it is, with rules that have an effect", () => {
  for (const entry of catalogue.values()) {
    const region = { region: "eu-central-1" };
    const byAws: Record<string, object> = {
      aws: { aws: { ...region, service: "sqs" }, allow: ["POST /"] },
      "aws-s3": { aws: region, allow: [{ s3: "reports", access: "read" }] },
      bedrock: { aws: region },
    };
    const { program, login, keyless, hosts } = entry;
    const own = program === undefined && login === undefined && hosts.length === 0;
    const url = own ? { url: "https://own.example.com" } : {};
    const secret = program === undefined && keyless !== true ? { secret: "s" } : {};
    const needs = {
      ...(login === undefined ? {} : { server: "own.example.com" }),
      ...(program?.needs?.includes("allowHosts") === true ? { allowHosts: ["example.org"] } : {}),
    };
    // The second token of a channel goes with the first one only.
    const first = [...catalogue.values()].find(({ channelNeeds }) => channelNeeds === entry.name);
    const { declaration, faults: shape } = checkShape({
      seawall: 1,
      secrets: { s: { vault: "s" } },
      bots: {
        a: {
          openclaw: "2026.9.6",
          model: "own/x",
          grants: {
            [entry.name]: { ...secret, ...url, ...needs, ...byAws[entry.name] },
            ...(first === undefined ? {} : { [first.name]: { secret: "s" } }),
          },
          settings: { models: { providers: { own: {} } } },
        },
      },
    });
    assert.deepEqual(shape, []);
    assert.ok(declaration);
    const { plan, faults } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
    assert.deepEqual(faults, [], entry.name);
    assert.ok(plan?.bots[0]?.grants.some(({ name }) => name === entry.name));
  }
});

test("formatRule() writes a rule as the broker does when it asks about one", () => {
  const plan = planOf({ allow: RULES });
  assert.ok(plan);
  for (const rule of serviceOf(plan).rules) assert.equal(formatRule(rule), formatAsBroker(rule));
});
