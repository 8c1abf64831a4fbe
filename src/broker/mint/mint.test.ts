import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { BrokerDial, BrokerMint } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { tcpHandle } from "../testing/rawHandles.ts";
import { canary, TestBroker, type Reply } from "../testing/TestBroker.ts";
import { serviceAccount, TEST_KEY, TokenStandIn } from "./testing/TokenStandIn.ts";

type OauthPlan = Extract<BrokerMint["mint"], { kind: "oauth2" }>;
/** Keys that are `undefined` are left out as if they weren't there. */
type Partial<Value> = { readonly [Key in keyof Value]?: Value[Key] | undefined };

const HEADERS = [{ in: "header", name: "authorization", prefix: "Bearer " }] as const;

describe("secrets that are made", () => {
  let t: TestBroker;
  /** Waits for an endpoint for a moment only. */
  let hasty: TestBroker;
  let provider: TokenStandIn;
  let service: Awaited<ReturnType<TestBroker["upstream"]>>;
  let endpoint: Awaited<ReturnType<TestBroker["upstream"]>>;
  let dial: BrokerDial;
  let clock = 0;
  const host = { name: "api.service.test", address: "" };
  const other = { name: "api.service.test", address: "" };
  const grants = new Map<string, InjectBrokerGrant>();
  let otherPort = 0;

  const oauth2 = (
    name: string,
    more: Partial<OauthPlan> = {},
    where: { readonly host?: string; readonly path?: string; readonly dial?: BrokerDial } = {},
  ): BrokerMint => ({
    name,
    mint: {
      kind: "oauth2",
      clientId: "client:1",
      clientSecret: "client",
      clientAuthentication: "body",
      refreshToken: "refresh",
      scopes: [name],
      parameters: {},
      ...more,
    } as OauthPlan,
    endpoint: {
      host: { name: where.host ?? "login.test", port: 443, scheme: "https" },
      path: where.path ?? "/token",
    },
    dial: where.dial ?? dial,
  });

  before(async () => {
    t = await TestBroker.start();
    hasty = await TestBroker.start({
      timeouts: { clientHello: 5000, connect: 5000, head: 5000, mint: 300 },
    });
    t.secrets
      .set("refresh", canary("rt-"))
      .set("client", canary("cs%+ &"))
      .set("google", serviceAccount())
      .set("github", TEST_KEY.privateKey);
    provider = new TokenStandIn({
      refreshToken: t.secrets.get("refresh") ?? "",
      clientSecret: t.secrets.get("client") ?? "",
    });
    service = await t.upstream(["api.service.test"], (request, response) => {
      provider.handleCall(request, response);
    });
    endpoint = await t.upstream(
      ["login.test", "oauth2.googleapis.com", "api.github.com"],
      (request, response) => {
        provider.handleToken(request, response);
      },
    );
    const ca = t.upstreamAuthority.ca;
    dial = { host: "127.0.0.1", port: endpoint.port, ca };
    host.address = t.nextAddress();
    other.address = host.address;
    const google = (name: string, scopes: string[], subject?: string): BrokerMint => ({
      name,
      mint: {
        kind: "google-service-account",
        key: "google",
        scopes,
        ...(subject === undefined ? {} : { subject }),
      },
      endpoint: {
        host: { name: "oauth2.googleapis.com", port: 443, scheme: "https" },
        path: "/token",
      },
      dial,
    });
    t.minted.push(
      oauth2("refreshed"),
      oauth2("basic", { clientAuthentication: "basic" }),
      oauth2("client-own", { refreshToken: undefined }),
      google("calendar", ["calendar.readonly"], "bot@example.test"),
      google("drive", ["drive.file", "drive.readonly"]),
      {
        name: "app",
        mint: {
          kind: "github-app",
          appId: "12345",
          privateKey: "github",
          repositories: ["one"],
          permissions: { contents: "read" },
        },
        endpoint: {
          host: { name: "api.github.com", port: 443, scheme: "https" },
          path: "/app/installations/678/access_tokens",
        },
        dial,
      },
      oauth2("untrusted", {}, { dial: { host: "127.0.0.1", port: endpoint.port } }),
      oauth2("misnamed", {}, { host: "other.test" }),
      oauth2("inward", {}, { dial: { ca } }),
    );
    await hasty.bot("basecamp", [{ ...grantOf("slow"), rules: [] }]);
    await configureGrants(t.minted.map(({ name }) => name));
  });
  after(async () => {
    await hasty.end();
    await t.end();
  });
  afterEach(() => {
    provider.next.length = 0;
    provider.expiresIn = 3600;
    provider.gate = Promise.resolve();
  });

  /** One grant for each secret, told apart by its phantom; the last one the other bot's as well. */
  async function configureGrants(names: readonly string[]): Promise<void> {
    t.bots.length = 0;
    for (const name of names) grants.set(name, grantOf(name));
    await t.bot(
      "basecamp",
      names.map((name) => grants.get(name)).filter((grant) => grant !== undefined),
    );
    const second = tcpHandle();
    otherPort = second.port;
    await t.broker.receive(
      { type: "listener", bot: "erdos", protocol: "tcp", port: otherPort, family: 4 },
      second.handle,
    );
    await t.bot("erdos", [
      modelGrant(
        {
          port: otherPort,
          address: host.address,
          dial: { host: "127.0.0.1", port: service.port, ca: t.upstreamAuthority.ca },
        },
        {
          name: "theirs",
          hosts: [{ name: host.name, port: otherPort, scheme: "https", v4: host.address }],
          secret: "drive",
          rules: [{ method: "*", path: "/v1/**" }],
        },
      ),
    ]);
    assert.deepEqual(await t.configure(), { type: "configured" });
  }

  function grantOf(name: string): InjectBrokerGrant {
    return modelGrant(
      {
        port: t.port,
        address: host.address,
        dial: { host: "127.0.0.1", port: service.port, ca: t.upstreamAuthority.ca },
      },
      {
        name: `g-${name}`,
        hosts: [{ name: host.name, port: t.port, scheme: "https", v4: host.address }],
        secret: name,
        rules: [{ method: "*", path: "/v1/**" }],
      },
    );
  }

  function call(
    secret: string,
    options: {
      readonly method?: string;
      readonly path?: string;
      readonly body?: string;
      readonly type?: string;
    } = {},
  ): Promise<Reply> {
    const grant = grants.get(secret);
    assert.ok(grant !== undefined);
    return t.request(host, {
      path: "/v1/x",
      ...options,
      headers: {
        authorization: `Bearer ${grant.phantom}`,
        ...(options.type === undefined ? {} : { "content-type": options.type }),
      },
    });
  }

  function code(reply: Reply): string {
    return (JSON.parse(reply.body) as { error: { code: string } }).error.code;
  }

  const seen = (reply: Reply): { scope: string; subject: string; body: string } =>
    JSON.parse(reply.body) as { scope: string; subject: string; body: string };

  /** A secret of its own, so that nothing is remembered of it. */
  async function fresh(
    more: Parameters<typeof oauth2>[1] = {},
    grantMore: Partial<InjectBrokerGrant> = {},
  ): Promise<string> {
    clock += 1;
    const name = `fresh-${clock}`;
    t.minted.push(oauth2(name, more));
    grants.set(name, { ...grantOf(name), ...grantMore } as InjectBrokerGrant);
    const [first, ...rest] = t.bots;
    const grant = grants.get(name);
    assert.ok(first !== undefined && grant !== undefined);
    t.bots.splice(0, t.bots.length, { ...first, grants: [...first.grants, grant] }, ...rest);
    assert.deepEqual(await t.configure(), { type: "configured" });
    return name;
  }

  for (const [secret, scope, subject] of [
    ["refreshed", "refreshed", ""],
    ["basic", "basic", ""],
    ["client-own", "client-own", ""],
    ["calendar", "calendar.readonly", "bot@example.test"],
    ["drive", "drive.file drive.readonly", ""],
    ["app", '{"repositories":["one"],"permissions":{"contents":"read"}}', ""],
  ] as const) {
    test(`Minter has a token made for "${secret}", once, and records it`, async () => {
      const before = provider.asked.length;
      const replies = await Promise.all(Array.from({ length: 8 }, () => call(secret)));
      for (const reply of replies) {
        assert.equal(reply.status, 200);
        assert.deepEqual(seen(reply), { scope, subject, body: "" });
      }
      assert.equal((await call(secret)).status, 200);
      assert.equal(provider.asked.length, before + 1);
      const record = await t.record((each) => each.kind === "mint" && each.secret === secret);
      assert.equal(record.bot, "basecamp");
      assert.equal(record.grant, `g-${secret}`);
      assert.equal(record.outcome, "done");
      assert.equal(record.method, "POST");
      assert.equal(t.records().filter((each) => each.secret === secret).length, 1);
    });
  }

  test("nothing that a token is or is made from stands in records or messages", async () => {
    await call("refreshed");
    await call("calendar");
    const all = t.everything();
    const values = [...provider.issued.keys(), ...t.secrets.values()];
    for (const value of values) assert.ok(!all.includes(value));
    assert.ok(all.includes('"kind":"mint"'), "control: the records are there");
  });

  test("tokens of other scopes, subjects and clients are never each other's", async () => {
    const used = new Map<string, string>();
    for (const secret of ["refreshed", "basic", "client-own", "calendar", "drive", "app"]) {
      await call(secret);
      const token = provider.calls.at(-1)?.token ?? "";
      assert.ok(!used.has(token), `${secret} has the token of ${used.get(token) ?? ""}`);
      used.set(token, secret);
    }
  });

  test("a bot can't use another grant's phantom for wider scopes", async () => {
    const theirs = t.bots[1]?.grants[0];
    assert.ok(theirs?.kind === "inject");
    const reply = await t.request(host, {
      path: "/v1/x",
      headers: { authorization: `Bearer ${theirs.phantom}` },
    });
    assert.equal(reply.status, 403);
    assert.equal(code(reply), "foreign-phantom");
  });

  test("the token endpoint can't be reached by a bot", async () => {
    const phantom = grants.get("refreshed")?.phantom ?? "";
    const reply = await t.raw(
      { ...host },
      `GET /token HTTP/1.1\r\nHost: login.test\r\nConnection: close\r\nAuthorization: Bearer ${phantom}\r\n\r\n`,
    );
    assert.match(reply, /^HTTP\/1\.1 421 /);
    await assert.rejects(t.connect(host.address, "login.test"));
  });

  test("a reply that repeats tokens, new and old, and what they are made from, carries none of them", async () => {
    const name = await fresh();
    await call(name);
    const first = provider.calls.at(-1)?.token ?? "";
    provider.revoke();
    agePast(name);
    await call(name);
    const second = provider.calls.at(-1)?.token ?? "";
    assert.notEqual(first, second);
    const reply = await call(name, { path: "/v1/echo" });
    assert.equal(reply.status, 200);
    for (const value of [first, second, provider.refreshToken, provider.clientSecret]) {
      assert.ok(!reply.body.includes(value));
      assert.ok(!reply.body.includes(JSON.stringify(value).slice(1, -1)));
    }
    assert.ok(reply.body.includes(grants.get(name)?.phantom ?? "?"));
  });

  /** Makes its token old enough to be doubted: as if a minute had passed. */
  function agePast(_name: string): void {
    skew += 61_000;
  }
  let skew = 0;
  const realNow = Date.now;
  before(() => {
    Date.now = () => realNow() + skew;
  });
  after(() => {
    Date.now = realNow;
  });

  for (const { method, body, status } of [
    { method: "GET", status: 200 },
    { method: "HEAD", status: 200 },
    { method: "DELETE", status: 200 },
    { method: "POST", body: "pay", status: 401 },
    { method: "PATCH", body: "x", status: 401 },
    { method: "PUT", body: "whole", status: 401 },
  ] as const) {
    test(`forward() after a 401: ${method} gets ${status}, with nothing done twice`, async () => {
      const name = await fresh();
      assert.equal((await call(name)).status, 200);
      provider.revoke();
      agePast(name);
      const before = provider.calls.length;
      const reply = await call(name, { method, ...(body === undefined ? {} : { body }) });
      assert.equal(reply.status, status);
      const calls = provider.calls.slice(before);
      assert.deepEqual(
        calls.map((each) => each.method),
        status === 200 ? [method, method] : [method],
      );
      assert.equal(
        calls.filter((each) => each.body !== "").length,
        body === undefined ? 0 : 1,
        "a body goes out once",
      );
      // Whatever became of this one, the next has a token that is good.
      assert.equal((await call(name)).status, 200);
    });
  }

  test("forward() after a 401: a PUT whose body the broker holds is made again, the very same", async () => {
    const name = await fresh({}, { places: [...HEADERS, { in: "json", pointer: "/token" }] });
    await call(name);
    provider.revoke();
    agePast(name);
    const before = provider.calls.length;
    const reply = await call(name, { method: "PUT", body: '{"a": 1}', type: "application/json" });
    assert.equal(reply.status, 200);
    const [first, second, ...more] = provider.calls.slice(before);
    assert.deepEqual(more, []);
    assert.notEqual(first?.token, second?.token);
    assert.deepEqual({ ...first, token: "" }, { ...second, token: "" });
    assert.equal(second?.body, '{"a": 1}');
  });

  test("a service that always says 401 is asked twice at the most, and has no tokens made all the time", async () => {
    const name = await fresh();
    await call(name);
    agePast(name);
    const asked = provider.asked.length;
    for (let turn = 0; turn < 5; turn += 1) {
      const reply = await call(name, { path: "/v1/always-401" });
      assert.equal(reply.status, 401);
    }
    assert.equal(provider.asked.length, asked + 1);
  });

  test("a bot can't take a good token from the others by having calls refused while none can be made", async () => {
    const name = await fresh();
    await call(name);
    agePast(name);
    provider.next.push((response) => response.writeHead(503).end());
    assert.equal((await call(name, { path: "/v1/always-401" })).status, 401);
    assert.equal((await call(name)).status, 200);
  });

  test("Minter renews a token in the last part of its life beside the calls that use it", async () => {
    const name = await fresh();
    await call(name);
    const first = provider.calls.at(-1)?.token;
    skew += 56 * 60_000;
    const asked = provider.asked.length;
    await call(name);
    assert.equal(provider.calls.at(-1)?.token, first);
    while (provider.asked.length === asked) await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      await call(name);
      if (provider.calls.at(-1)?.token !== first) break;
    }
    assert.equal(provider.asked.length, asked + 1);
  });

  test("Minter uses no token beyond its life, and says so when no other can be had", async () => {
    const name = await fresh();
    await call(name);
    skew += 3_600_000;
    provider.next.push((response) => response.writeHead(500).end("<html>"));
    const before = provider.calls.length;
    const reply = await call(name);
    assert.equal(reply.status, 503);
    assert.equal(code(reply), "mint-failed");
    assert.ok(Number(reply.headers["retry-after"]) >= 1);
    assert.equal(provider.calls.length, before, "nothing went out");
    assert.ok(t.sent.some((each) => each.type === "health" && each.key === `mint:${name}`));
    const record = await t.record((each) => each.secret === name && each.outcome !== "done");
    assert.equal(record.outcome, "upstream-error");
    assert.equal(record.code, "mint-failed");
    assert.equal(record.status, 500);
  });

  const long = "x".repeat(70_000);
  const replies: readonly (readonly [what: string, status: number, body: string, says: RegExp])[] =
    [
      ["HTML", 200, "<html>sign in</html>", /is not a JSON object/],
      ["an array", 200, "[]", /is not a JSON object/],
      ["no token", 200, '{"token_type":"bearer"}', /has no "access_token"/],
      [
        "a token with a line break",
        200,
        '{"access_token":"abcdefgh\\nx: y","token_type":"bearer"}',
        /could be sent/,
      ],
      ["a short token", 200, '{"access_token":"abc","token_type":"bearer"}', /could be sent/],
      ["another type", 200, '{"access_token":"abcdefghijk","token_type":"mac"}', /another type/],
      ["no type", 200, '{"access_token":"abcdefghijk"}', /another type/],
      [
        "a negative life",
        200,
        '{"access_token":"abcdefghijk","token_type":"bearer","expires_in":-1}',
        /no time/,
      ],
      [
        "no life",
        200,
        '{"access_token":"abcdefghijk","token_type":"bearer","expires_in":0}',
        /no time/,
      ],
      [
        "a life of text",
        200,
        '{"access_token":"abcdefghijk","token_type":"bearer","expires_in":"soon"}',
        /no time/,
      ],
      ["a huge body", 200, `{"access_token":"${long}","token_type":"bearer"}`, /too long/],
      ["a redirect", 302, "", /redirects are not followed/],
      ["an error of the server", 502, "bad gateway", /answers 502/],
      ["too many", 429, "slow down", /answers 429/],
    ];
  for (const [what, status, body, says] of replies) {
    test(`Minter refuses a call when the endpoint answers with ${what}`, async () => {
      const name = await fresh();
      provider.next.push((response) =>
        response.writeHead(status, { location: "https://login.test/elsewhere" }).end(body),
      );
      const asked = provider.asked.length;
      const before = provider.calls.length;
      const reply = await call(name);
      assert.equal(reply.status, 503);
      assert.equal(code(reply), "mint-failed");
      assert.equal((await call(name)).status, 503, "and the endpoint is left alone");
      assert.equal(provider.asked.length, asked + 1);
      assert.equal(provider.calls.length, before);
      const health = t.sent.findLast((each) => each.type === "health");
      assert.ok(health?.type === "health" && health.key === `mint:${name}`);
      assert.match(health.warning, says);
      assert.ok(!health.warning.includes("abcdefgh"));
    });
  }

  test("Minter takes a token whose life isn't told for five minutes, one for a year for a day, one for a moment for seconds", async () => {
    for (const [told, passes, ends] of [
      [undefined, 3 * 60_000, 5 * 60_000],
      ["3600", 50 * 60_000, 60 * 60_000],
      [365 * 86_400, 23 * 3_600_000, 24 * 3_600_000],
      [0.001, 3000, 5000],
    ] as const) {
      const name = await fresh();
      provider.expiresIn = told;
      await call(name);
      const asked = provider.asked.length;
      skew += passes;
      assert.equal((await call(name)).status, 200);
      assert.equal(provider.asked.length, asked);
      skew += ends - passes;
      assert.equal((await call(name)).status, 200);
      assert.equal(provider.asked.length, asked + 1);
    }
  });

  test("a refused refresh token is a warning that says what to do, and is not tried again at once", async () => {
    const name = await fresh();
    provider.refreshToken = canary("rt-elsewhere-");
    const asked = provider.asked.length;
    const reply = await call(name);
    assert.equal(code(reply), "mint-refused");
    for (let turn = 0; turn < 3; turn += 1) assert.equal(code(await call(name)), "mint-refused");
    assert.equal(provider.asked.length, asked + 1);
    const health = t.sent.findLast((each) => each.type === "health");
    assert.ok(health?.type === "health");
    assert.match(health.warning, /login\.test says no \(400, invalid_grant\)/);
    assert.match(health.remedy ?? "", /seawall secret set refresh/);
    // The owner stores another one: it is used at once, and the warning goes.
    t.secrets.set("refresh", provider.refreshToken);
    assert.equal((await call(name)).status, 200);
    assert.ok(t.sent.some((each) => each.type === "health-clear" && each.key === `mint:${name}`));
  });

  test("a refresh token that the provider replaces is used from then on, by all who share it, and told", async () => {
    provider.rotates = true;
    try {
      const [first, second] = [await fresh(), await fresh()];
      const replies = await Promise.all([call(first), call(second)]);
      assert.deepEqual(
        replies.map(({ status }) => status),
        [200, 200],
      );
      skew += 3_600_000;
      assert.equal((await call(first)).status, 200);
      const health = t.sent.findLast((each) => each.type === "health");
      assert.ok(health?.type === "health");
      assert.equal(health.key, "rotated:refresh");
      assert.match(health.remedy ?? "", /seawall secret set refresh/);
      assert.ok(!JSON.stringify(t.sent).includes(provider.refreshToken));
      const echo = await call(first, { path: "/v1/echo" });
      assert.ok(!echo.body.includes(provider.refreshToken));
    } finally {
      provider.rotates = false;
    }
    t.secrets.set("refresh", provider.refreshToken);
    assert.equal((await call(await fresh())).status, 200);
    assert.ok(
      t.sent.some((each) => each.type === "health-clear" && each.key === "rotated:refresh"),
    );
  });

  test("what was taken out of its store makes no call any more, whatever tokens there are", async () => {
    const name = await fresh();
    assert.equal((await call(name)).status, 200);
    const value = t.secrets.get("client") ?? "";
    const config = t.config();
    t.secrets.delete("client");
    const reply = await call(name);
    assert.equal(code(reply), "secret-unavailable");
    t.secrets.set("client", value);
    assert.deepEqual(await t.configure(config), { type: "configured" });
    assert.equal((await call(name)).status, 200);
  });

  test("an endpoint that says nothing is given up, for all who wait", async () => {
    let open = (): void => undefined;
    provider.gate = new Promise((resolve) => {
      open = resolve;
    });
    try {
      for (const [name, value] of t.secrets) hasty.secrets.set(name, value);
      hasty.minted.push(oauth2("slow"));
      const grant = {
        ...grantOf("slow"),
        hosts: [{ name: host.name, port: hasty.port, scheme: "https" as const, v4: host.address }],
      };
      const [bot] = hasty.bots;
      assert.ok(bot !== undefined);
      hasty.bots.splice(0, 1, { ...bot, grants: [grant] });
      assert.deepEqual(await hasty.configure(), { type: "configured" });
      const headers = { authorization: `Bearer ${grant.phantom}` };
      const replies = await Promise.all(
        Array.from({ length: 3 }, () => hasty.request(host, { path: "/v1/x", headers })),
      );
      assert.deepEqual(replies.map(code), ["mint-failed", "mint-failed", "mint-failed"]);
    } finally {
      open();
    }
  });

  for (const [secret, says] of [
    ["untrusted", /certificate can't be trusted/],
    ["misnamed", /certificate can't be trusted/],
    ["inward", /can't be reached|address is not one/],
  ] as const) {
    test(`the way to the endpoint is checked: ${secret}`, async () => {
      const asked = provider.asked.length;
      assert.equal(code(await call(secret)), "mint-failed");
      const health = t.sent.findLast((each) => each.type === "health");
      assert.ok(health?.type === "health");
      assert.match(health.warning, says);
      assert.equal(provider.asked.length, asked, "nothing was sent");
    });
  }

  const keys: readonly (readonly [what: string, secret: string, value: string])[] = [
    ["no JSON", "google", "{"],
    ["the JSON of something else", "google", '{"installed":{"client_secret":"abcdefgh"}}'],
    ["another endpoint", "google", serviceAccount({ token_uri: "https://evil.test/token" })],
    ["no key", "google", serviceAccount({ private_key: undefined })],
    [
      "a broken key",
      "google",
      serviceAccount({ private_key: "-----BEGIN PRIVATE KEY-----\nxx\n" }),
    ],
    ["no mail address", "google", serviceAccount({ client_email: 7 })],
    [
      "an EC key",
      "github",
      "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ==\n-----END EC PRIVATE KEY-----",
    ],
    ["nothing", "github", "x"],
  ];
  for (const [what, secret, value] of keys) {
    test(`a configuration is refused whose ${secret} secret holds ${what}`, async () => {
      const good = t.secrets.get(secret) ?? "";
      t.secrets.set(secret, value);
      const answer = await t.configure();
      t.secrets.set(secret, good);
      assert.ok(answer?.type === "refused");
      assert.equal(answer.code, "secret-unusable");
      assert.match(answer.message, /can't be made: secret "(google|github)"/);
      assert.ok(!answer.message.includes("evil") && !answer.message.includes("MHcCAQ"));
    });
  }

  test("a configuration is refused whose made secret is made from nothing, or stored too", async () => {
    const config = t.config();
    const lacking = { ...config, minted: [oauth2("x", { refreshToken: "nowhere" })], bots: [] };
    const twice = { ...config, minted: [oauth2("client")], bots: [] };
    const plain = oauth2("x");
    const open = {
      ...plain,
      endpoint: { host: { ...plain.endpoint.host, scheme: "http" as const }, path: "/" },
    };
    for (const bad of [lacking, twice, { ...config, minted: [open], bots: [] }]) {
      const answer = await t.configure(bad);
      assert.ok(answer?.type === "refused");
      assert.equal(answer.code, "config-invalid");
    }
    assert.deepEqual(await t.configure(config), { type: "configured" });
  });
});
