import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { catalogue } from "../catalogue/index.ts";
import { checkShape, type Declaration } from "../declaration/index.ts";
import { makePlan, type Plan } from "./index.ts";

const CONTEXT = { catalogue, versions: ["2026.9.6"] };
const SECRETS = { anthropic: { vault: "anthropic" }, telegram: { vault: "tg" } };

function bot(more: object = {}): object {
  const grants = { anthropic: { secret: "anthropic" } };
  return { openclaw: "2026.9.6", model: "anthropic/claude-sonnet-4-6", grants, ...more };
}

function declare(bots: object, more: object = {}): Declaration {
  const { declaration, faults } = checkShape({ seawall: 1, secrets: SECRETS, bots, ...more });
  assert.deepEqual(faults, []);
  assert.ok(declaration);
  return declaration;
}

function planOf(bots: object, more: object = {}): Plan {
  const { plan, faults } = makePlan(declare(bots, more), CONTEXT);
  assert.deepEqual(faults, []);
  assert.ok(plan);
  return plan;
}

function faultsOf(bots: object, more: object = {}): string[] {
  const { plan, faults } = makePlan(declare(bots, more), CONTEXT);
  assert.equal(plan, undefined);
  return faults.map(({ code, path }) => `${code} ${path.join(".")}`);
}

test("makePlan() gives the same bytes for any order of keys", () => {
  const value = {
    seawall: 1,
    secrets: SECRETS,
    bots: {
      b: bot({ port: 18790, exec: { allow: ["ls", "cat"] } }),
      a: bot({
        grants: {
          telegram: { secret: "telegram", allowFrom: [2, 1] },
          anthropic: { secret: "anthropic", dial: { host: "10.0.0.1", port: 8443 } },
          "b.example.com": { tunnel: 8443 },
          "a.example.com": { tunnel: 443 },
        },
      }),
    },
  };
  const expected = JSON.stringify(makePlan(checked(value), CONTEXT).plan);
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const plan = makePlan(checked(shuffleKeys(value, seed)), CONTEXT).plan;
      assert.equal(JSON.stringify(plan), expected);
    }),
    { numRuns: 50 },
  );
});

test("makePlan() never gives a looser plan for a grant less", () => {
  const grants = {
    anthropic: { secret: "anthropic" },
    telegram: { secret: "telegram" },
    "x.example.com": { tunnel: 443 },
    "y.example.com": { tunnel: 8443 },
  };
  const reach = (plan: Plan): Set<string> =>
    new Set(
      plan.bots.flatMap((b) =>
        b.grants.flatMap((g) => g.hosts.map((h) => JSON.stringify([g.kind, h]))),
      ),
    );
  const whole = reach(planOf({ a: bot({ grants }) }));
  for (const name of ["telegram", "x.example.com", "y.example.com"] as const) {
    const { [name]: _left, ...fewer } = grants;
    const less = reach(planOf({ a: bot({ grants: fewer }) }));
    assert.ok([...less].every((host) => whole.has(host)));
    assert.ok(less.size < whole.size);
  }
});

test("makePlan() keeps a name's address whatever else is granted", () => {
  const alone = planOf({ a: bot() }).bots[0]?.grants[0]?.hosts[0];
  const among = planOf({
    a: bot({ grants: { anthropic: { secret: "anthropic" }, "a.example.com": { tunnel: 443 } } }),
  }).bots[0]?.grants.find((g) => g.name === "anthropic")?.hosts[0];
  assert.deepEqual(alone, among);
  assert.match(alone?.v4 ?? "", /^11\./);
});

test("makePlan() takes a declared service like one of the catalogue", () => {
  const services = {
    prowlarr: {
      hosts: ["http://10.0.0.5:8989"],
      credential: [{ header: "X-Api-Key" }],
      phantom: "{hex:32}",
      variable: "PROWLARR_API_KEY",
      allow: ["GET /api/v3/**"],
    },
  };
  const grants = { anthropic: { secret: "anthropic" }, prowlarr: { secret: "telegram" } };
  const plan = planOf({ a: bot({ grants }) }, { services });
  const grant = plan.bots[0]?.grants.find((g) => g.name === "prowlarr");
  assert.deepEqual(grant, {
    kind: "inject",
    name: "prowlarr",
    service: "prowlarr",
    hosts: [{ name: "10.0.0.5", port: 8989, scheme: "http", v4: "10.0.0.5" }],
    secret: "telegram",
    phantom: [{ alphabet: "hex", length: 32 }],
    places: [{ in: "header", name: "x-api-key", prefix: "" }],
    rules: [{ method: "GET", path: "/api/v3/**" }],
    anonymous: [],
  });
  assert.deepEqual(plan.bots[0]?.ports, [443, 8989]);
});

test("makePlan() gives a bot the commands of its services that it names, and the host's", () => {
  const secrets = { anthropic: { vault: "anthropic" }, google: { vault: "google" } };
  const grants = {
    anthropic: { secret: "anthropic" },
    "google-api": { secret: "google" },
    bridge: {},
  };
  const commandsOf = (allow: string[]): unknown => {
    const plan = planOf(
      { a: bot({ grants, exec: { allow } }), b: bot({ port: 18790 }) },
      { secrets },
    );
    const [first] = plan.bots;
    return [
      first?.commands,
      first?.grants.flatMap((g) => ("command" in g ? (g.command?.name ?? []) : [])),
    ];
  };
  assert.deepEqual(commandsOf([]), [[], ["bridge"]]);
  assert.deepEqual(commandsOf(["google-api", "ls"]), [["ls"], ["bridge", "google-api"]]);
});

test("makePlan() gives a declared service a command, and refuses two grants that bring the same one", () => {
  const service = {
    hosts: ["https://api.example.com"],
    credential: [{ header: "x-key" }],
    allow: ["GET /**"],
  };
  const secrets = { anthropic: { vault: "anthropic" }, google: { vault: "google" } };
  const grants = { anthropic: { secret: "anthropic" }, google: { secret: "google" } };
  const exec = { allow: ["google-api"] };
  const plan = planOf({ a: bot({ grants, exec }) }, { secrets, services: { google: service } });
  const granted = plan.bots[0]?.grants.find(({ name }) => name === "google");
  assert.equal(
    granted !== undefined && "command" in granted && granted.command?.name,
    "google-api",
  );
  const both = { ...grants, "google-api": { secret: "google" } };
  assert.match(
    JSON.stringify(
      faultsOf({ a: bot({ grants: both, exec }) }, { secrets, services: { google: service } }),
    ),
    /invalid.*google-api/,
  );
});

test("makePlan() leaves out secrets that no grant uses", () => {
  assert.deepEqual(planOf({ a: bot() }).secrets, [
    { name: "anthropic", source: { store: "vault", key: "anthropic" } },
  ]);
});

test("makePlan() drops calls without credential when the grant has rules of its own", () => {
  const secrets = { openrouter: { vault: "openrouter" } };
  const grants = { openrouter: { secret: "openrouter", allow: ["POST /api/v1/chat/completions"] } };
  const plan = planOf({ a: bot({ grants, model: "openrouter/x/y" }) }, { secrets });
  const [grant] = plan.bots[0]?.grants ?? [];
  assert.ok(grant?.kind === "inject");
  assert.deepEqual(grant.anonymous, []);
});

const REFUSED: Readonly<Record<string, { bots: object; more?: object; faults: string[] }>> = {
  "a secret that isn't declared": {
    bots: { a: bot({ grants: { anthropic: { secret: "nope" } } }) },
    faults: ["unknown-secret bots.a.grants.anthropic.secret"],
  },
  "a service without secret": {
    bots: { a: bot({ grants: { anthropic: {} } }) },
    faults: ["missing bots.a.grants.anthropic"],
  },
  "a service passed through": {
    bots: { a: bot({ grants: { anthropic: { secret: "anthropic", tunnel: 443 } } }) },
    faults: ["invalid bots.a.grants.anthropic.tunnel"],
  },
  "a service that doesn't exist": {
    bots: { a: bot({ grants: { anthropic: { secret: "anthropic" }, telegramm: {} } }) },
    faults: ["unknown-service bots.a.grants.telegramm"],
  },
  "a tunnel with rules, which could have no effect": {
    bots: {
      a: bot({
        grants: { anthropic: { secret: "anthropic" }, "x.io": { tunnel: 443, allow: [] } },
      }),
    },
    faults: ["invalid bots.a.grants.x.io.allow"],
  },
  "a tunnel to an address": {
    bots: {
      a: bot({ grants: { anthropic: { secret: "anthropic" }, "10.0.0.1": { tunnel: 443 } } }),
    },
    faults: ["unknown-service bots.a.grants.10.0.0.1"],
  },
  "containers for agents without an image": {
    bots: { a: bot({ agents: { repositories: { path: "/srv/git" }, tools: "podman" } }) },
    faults: ["invalid bots.a.agents.tools"],
  },
  "two bots on one port": {
    bots: { a: bot(), b: bot() },
    faults: ["port-taken bots.b.port"],
  },
  "a version without pin": {
    bots: { a: bot({ openclaw: "2026.1.1" }) },
    faults: ["unknown-version bots.a.openclaw"],
  },
  "a model that no grant answers": {
    bots: { a: bot({ model: "openai/gpt-5" }) },
    faults: ["no-model-grant bots.a.model"],
  },
  "senders for what is no channel": {
    bots: { a: bot({ grants: { anthropic: { secret: "anthropic", allowFrom: [1] } } }) },
    faults: ["invalid bots.a.grants.anthropic.allowFrom"],
  },
  "two grants for one host": {
    bots: {
      a: bot({
        grants: { anthropic: { secret: "anthropic" }, "api.anthropic.com": { tunnel: 443 } },
      }),
    },
    faults: ["host-clash bots.a.grants.api.anthropic.com"],
  },
  "a declared service under a name of the catalogue": {
    bots: { a: bot() },
    more: {
      services: {
        anthropic: { hosts: ["https://x.io"], credential: [{ header: "a" }], allow: [] },
      },
    },
    faults: ["invalid services.anthropic"],
  },
  "plain HTTP to a name, a public address, and a metadata address": {
    bots: { a: bot() },
    more: {
      services: {
        x: {
          hosts: ["http://internal.example.com", "http://9.9.9.9", "http://169.254.169.254"],
          credential: [{ header: "a" }],
          allow: [],
        },
      },
    },
    faults: [
      "invalid services.x.hosts.0",
      "invalid services.x.hosts.1",
      "invalid services.x.hosts.2",
    ],
  },
  "rules that could be read two ways": {
    bots: { a: bot() },
    more: {
      services: {
        x: {
          hosts: ["https://x.io"],
          credential: [{ header: "a" }],
          allow: ["GET /a/../b", "GET /a//b", "GET /**/b", "GET /a*", "GET /{secret}/{x}"],
        },
      },
    },
    faults: [0, 1, 2, 3, 4].map((index) => `invalid services.x.allow.${index}`),
  },
  "a phantom that could be guessed": {
    bots: { a: bot() },
    more: {
      services: {
        x: {
          hosts: ["https://x.io"],
          credential: [{ header: "a" }],
          allow: [],
          phantom: "key-{hex:8}",
        },
      },
    },
    faults: ["invalid services.x.phantom"],
  },
};

for (const [what, { bots, more, faults }] of Object.entries(REFUSED)) {
  test(`makePlan() refuses ${what}`, () => assert.deepEqual(faultsOf(bots, more), faults));
}

test("makePlan() suggests the service that was meant", () => {
  const declaration = declare({ a: bot({ grants: { antropic: { secret: "anthropic" } } }) });
  const { faults } = makePlan(declaration, CONTEXT);
  assert.ok(faults.some(({ hint }) => hint === 'did you mean "anthropic"?'));
});

function checked(value: unknown): Declaration {
  const { declaration } = checkShape(value);
  assert.ok(declaration);
  return declaration;
}

/** The same value with the keys of every object in another order. */
function shuffleKeys(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffleKeys(item, seed));
  if (value === null || typeof value !== "object") return value;
  const rank = (key: string): number =>
    Buffer.from(key).reduce((sum, byte) => (sum * 31 + byte) ^ seed, 7);
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => rank(a) - rank(b))
      .map(([key, child]) => [key, shuffleKeys(child, seed)]),
  );
}
