import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../catalogue/index.ts";
import { checkShape } from "../declaration/index.ts";
import { comparePlans } from "./comparePlans.ts";
import { makePlan } from "./makePlan.ts";
import type { Plan } from "./Plan.ts";

function planOf(bot: object, more: object = {}): Plan {
  const { declaration, faults } = checkShape({
    seawall: 1,
    secrets: { anthropic: { vault: "anthropic" }, telegram: { vault: "telegram" } },
    bots: {
      basecamp: {
        openclaw: "2026.9.6",
        model: "anthropic/claude-sonnet-4-6",
        grants: { anthropic: { secret: "anthropic" } },
        ...bot,
      },
    },
    ...more,
  });
  assert.deepEqual(faults, []);
  assert.ok(declaration !== undefined);
  const { plan, faults: wrong } = makePlan(declaration, {
    catalogue,
    versions: ["2026.9.6", "2026.9.7"],
  });
  assert.deepEqual(wrong, []);
  assert.ok(plan !== undefined);
  return plan;
}

const base = planOf({});
const anthropic = { secret: "anthropic" };

/** What a plan with `bot` changes against the base, as lines; `!` loosens. */
function lines(before: Plan, after: Plan): string[] {
  return comparePlans(before, after).map(({ text, loosens }) => `${loosens ? "!" : " "} ${text}`);
}

test("comparePlans() has nothing to say about the same plan", () => {
  assert.deepEqual(comparePlans(base, planOf({})), []);
});

test("comparePlans() says what a first plan brings, all of it as more", () => {
  const changes = comparePlans(undefined, base);
  assert.ok(changes.every(({ loosens }) => loosens));
  assert.ok(
    changes.some(({ text }) => text.includes('api.anthropic.com:443 with secret "anthropic"')),
  );
});

/** Each pair: the stricter bot, the looser one, and a line that says so. */
const PAIRS: readonly (readonly [strict: object, loose: object, line: RegExp])[] = [
  [{}, { exec: { allow: ["ls"] } }, /may run ls/],
  [{}, { tools: { allow: ["read"] } }, /may use read/],
  [{}, { concessions: ["no-landlock"] }, /go without: no-landlock/],
  [{}, { unknownHosts: "ask" }, /hosts nobody granted/],
  [{}, { controlPage: true }, /ingress changes/],
  [{}, { expose: { domain: "a.example.com" } }, /expose changes/],
  [
    {},
    { grants: { anthropic, "x.example.com": { tunnel: 443 } } },
    /reaches x\.example\.com:443 unopened/,
  ],
  [{}, { grants: { anthropic, telegram: { secret: "telegram" } } }, /secret "telegram"/],
  [
    { limits: { callsPerMinute: 5 } },
    { limits: { callsPerMinute: 6 } },
    /callsPerMinute 5 becomes 6/,
  ],
  [{ limits: { callsPerMinute: 5 } }, {}, /callsPerMinute 5 becomes unlimited/],
  [
    {},
    { grants: { anthropic: { ...anthropic, allow: ["...", "GET /v1/files"] } } },
    /made gain GET \/v1\/files/,
  ],
  [
    { grants: { anthropic: { ...anthropic, deny: ["GET /v1/models"] } } },
    {},
    /never made lose GET \/v1\/models/,
  ],
];

for (const [strict, loose, line] of PAIRS) {
  test(`comparePlans() marks what loosens, and not the way back: ${line.source}`, () => {
    const there = lines(planOf(strict), planOf(loose));
    assert.ok(
      there.some((each) => each.startsWith("! ") && line.test(each)),
      there.join("\n"),
    );
    const back = comparePlans(planOf(loose), planOf(strict));
    assert.ok(back.length > 0);
    // Whatever can't be told apart counts as more in both directions.
    if (!/changes/.test(line.source)) {
      assert.ok(
        back.some(({ loosens }) => !loosens),
        lines(planOf(loose), planOf(strict)).join("\n"),
      );
    }
  });
}

/** Each pair of what a bot may use up, and whether going from one to the other loosens. */
const RESOURCES: readonly (readonly [object, object, boolean])[] = [
  [{ memory: "2G" }, { memory: "3G" }, true],
  [{ memory: "3G" }, { memory: "2G" }, false],
  [{ cpu: 1 }, {}, true],
  [{}, { cpu: 1 }, false],
  // What is usual is the host's, so nobody can tell.
  [{}, { memory: "2G" }, true],
  [{ memory: "2G" }, {}, true],
];

for (const [before, after, loosens] of RESOURCES) {
  test(`comparePlans() says whether a bot may use up more: ${JSON.stringify([before, after])}`, () => {
    const [change, ...others] = comparePlans(planOf({ limits: before }), planOf({ limits: after }));
    assert.equal(change?.loosens, loosens);
    assert.match(change.text, /^basecamp: (?:memory|cpu) .* becomes /);
    assert.deepEqual(others, []);
  });
}

test("comparePlans() names secrets that the broker makes", () => {
  const bot = { grants: { anthropic, calendar: { secret: "made" } } };
  const using = (scopes: readonly string[]): Plan =>
    planOf(bot, {
      secrets: {
        anthropic: { vault: "anthropic" },
        key: { vault: "key" },
        made: { googleServiceAccount: "key", scopes },
      },
      services: {
        calendar: {
          hosts: ["https://a.example.com"],
          credential: [{ header: "a" }],
          allow: ["GET /"],
        },
      },
    });
  const there = lines(base, using(["a"]));
  assert.ok(
    there.some((line) => /^! secret "made" is used, made at .*google/.test(line)),
    there.join("\n"),
  );
  assert.ok(there.includes('! secret "key" is used, from vault'), there.join("\n"));
  assert.ok(lines(using(["a"]), base).includes('  secret "made" is no longer made'));
  const [change, ...others] = lines(using(["a"]), using(["a", "b"]));
  assert.match(change ?? "", /^! secret "made" is made in another way/);
  assert.deepEqual(others, []);
});

test("comparePlans() says whether new agents' tools have a wall of their own", () => {
  const agents = { repositories: { path: "/srv/git" } };
  const [plain, walled] = [planOf({ agents }), planOf({ agents: { ...agents, tools: "wall" } })];
  assert.deepEqual(lines(plain, planOf({ agents: { ...agents, tools: "bot" } })), []);
  assert.match(lines(plain, walled).join(), /^ {2}basecamp's new agents have a wall of their own/);
  assert.match(lines(walled, plain).join(), /^! basecamp's new agents have their tools in its own/);
});

test("comparePlans() marks an image for agents' containers, another one, and a way out of the wall into them", () => {
  const repositories = { path: "/srv/git" };
  const image = (digit: string): string => `sha256:${digit.repeat(64)}`;
  const planWith = (more: object): Plan => planOf({ agents: { repositories, ...more } });
  const [none, one, two] = [
    planWith({}),
    planWith({ podman: { image: image("1") } }),
    planWith({ podman: { image: image("2") } }),
  ];
  assert.match(
    lines(none, one).join(),
    /^! basecamp's agents may run commands in containers of sha256:1/,
  );
  assert.match(
    lines(one, two).join(),
    /^! basecamp's agents may run commands in containers of sha256:2/,
  );
  assert.match(lines(one, none).join(), /^ {2}basecamp's agents have no containers/);
  const podman = { image: image("1") };
  const [boxed, walled] = [
    planWith({ podman, tools: "podman" }),
    planWith({ podman, tools: "wall" }),
  ];
  assert.match(
    lines(walled, boxed).join(),
    /^! basecamp's new agents have their tools in containers/,
  );
  assert.match(
    lines(one, boxed).join(),
    /^ {2}basecamp's new agents have their tools in containers/,
  );
});

test("comparePlans() leaves no difference unmentioned", () => {
  const others = [
    planOf({ model: "anthropic/claude-opus-4-6" }),
    planOf({ port: 20_000 }),
    planOf({ proxy: 3128 }),
    planOf({ settings: { agents: { defaults: { thinkingDefault: "low" } } } }),
    planOf({}, { telemetry: { metricsPort: 9464 } }),
    planOf({}, { audit: { rotateBytes: "1M" } }),
    planOf({ grants: { anthropic: { ...anthropic, dial: { host: "127.0.0.1", port: 1 } } } }),
    planOf({ openclaw: "2026.9.7" }),
  ];
  for (const other of others) {
    assert.notDeepEqual(comparePlans(base, other), []);
    assert.notDeepEqual(comparePlans(other, base), []);
  }
});
