import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";
import { TestCommands, type CommandEnd } from "../testing/TestCommands.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const HOSTS = ["api.weather.test", "files.weather.test"];

/** Commands of services that have none of their own: declared ones by where their key goes, and GitHub. */
describe("the general client command", () => {
  let t: TestBroker;
  let commands: TestCommands;
  let phantom = "";
  const seen: Seen[] = [];
  const real = { weather: "", query: "", path: "", cookie: "", github: "" };

  before(async () => {
    t = await TestBroker.start();
    for (const name of Object.keys(real) as (keyof typeof real)[]) {
      real[name] = canary(`real${name}`);
      t.secrets.set(name, real[name]);
    }
    const api = await t.upstream(
      [...HOSTS, "query.test", "path.test", "cookie.test", "api.github.com"],
      (request, response) => {
        void serve(request).then(([status, body]) => {
          response.writeHead(status, { "content-type": "application/json" }).end(body);
        });
      },
    );
    const of = (host: string, credential: object, more: object = {}): object => ({
      hosts: [`https://${host}`],
      credential: [credential],
      allow: ["GET /v1/**", "POST /v1/items"],
      ...more,
    });
    const { grants } = catalogueBots(
      {
        secrets: Object.fromEntries(Object.keys(real).map((name) => [name, { vault: name }])),
        services: {
          weather: {
            about: "the weather at sea",
            hosts: HOSTS.map((host) => `https://${host}`),
            credential: [{ form: "key" }, { header: "X-Key" }],
            allow: ["GET api.weather.test/v1/**", "POST api.weather.test/v1/items"],
            deny: ["GET /v1/admin/**"],
            headers: {
              "X-Api-Version": { about: "version of the API", usual: "2025-01-01" },
              Accept: {},
              "Content-Type": {},
            },
          },
          query: of("query.test", { query: "token" }),
          path: of("path.test", { path: "/bot{secret}" }, { allow: ["GET /bot{secret}/me"] }),
          cookie: of("cookie.test", { cookie: "sid" }),
          inbody: of("inbody.test", { json: "/token" }),
        },
        bots: {
          basecamp: {
            weather: { secret: "weather", allow: ["...", "GET files.weather.test/maps/*"] },
            query: { secret: "query" },
            path: { secret: "path" },
            cookie: { secret: "cookie" },
            github: { secret: "github" },
            inbody: { secret: "query" },
          },
        },
      },
      { host: "127.0.0.1", port: api.port, ca: t.upstreamAuthority.ca },
    );
    const all = grants.get("basecamp") ?? [];
    for (const each of all)
      if (each.kind === "inject" && each.name === "weather") phantom = each.phantom;
    await t.bot("basecamp", all);
    assert.deepEqual(await t.configure(), { type: "configured" });
    commands = await TestCommands.open(t, "basecamp");
  });
  after(() => t.end());

  /** Answers only what carries the host's real key. */
  async function serve(request: IncomingMessage): Promise<[number, string]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    const host = headers.host ?? "";
    const good: Record<string, boolean> = {
      "query.test": new URL(url, "https://x").searchParams.get("token") === real.query,
      "path.test": url.startsWith(`/bot${real.path}/`),
      "cookie.test": headers.cookie === `sid=${real.cookie}`,
      "api.github.com": headers.authorization === `Bearer ${real.github}`,
    };
    if (!(good[host] ?? headers["x-key"] === real.weather)) return [401, "{}"];
    seen.push({ method, url, host, headers, body: Buffer.concat(chunks).toString() });
    return [200, JSON.stringify({ url, echo: headers["x-key"] ?? null })];
  }

  async function use(
    command: string,
    args: readonly string[],
    body?: Uint8Array,
  ): Promise<CommandEnd & { readonly error: Record<string, string> }> {
    const end = await commands.use(command, args, body);
    return { ...end, error: errorOf(end) };
  }
  const weather = (...args: string[]): ReturnType<typeof use> => use("weather-api", args);

  test("get is one call with a key that only the broker has, and the key isn't in what comes back", async () => {
    const end = await weather("get", "/v1/now?place=sea");
    assert.equal(end.err, "");
    assert.equal(end.code, 0);
    const call = seen.at(-1);
    assert.deepEqual([call?.method, call?.host, call?.url], ["GET", HOSTS[0], "/v1/now?place=sea"]);
    assert.match(end.out.toString(), /"url":"\/v1\/now\?place=sea"/);
    assert.ok(!end.out.includes(real.weather));
    const line = await t.record((each) => each.kind === "call" && each.grant === "weather");
    assert.equal(line.decision, "allow");
  });

  test("post sends JSON from an argument or standard input, or bytes as they are", async () => {
    assert.equal((await weather("post", "/v1/items", '{"a": [1, "x"]}')).code, 0);
    assert.equal(seen.at(-1)?.body, '{"a":[1,"x"]}');
    assert.equal(seen.at(-1)?.headers["content-type"], "application/json");
    const stdin = await use("weather-api", ["post", "/v1/items", "-"], Buffer.from('{"b":2}'));
    assert.equal(stdin.code, 0, stdin.err);
    assert.equal(seen.at(-1)?.body, '{"b":2}');
    const raw = await use("query-api", ["post", "/v1/items"], Buffer.from([0, 1, 255]));
    assert.equal(raw.code, 0, raw.err);
    assert.equal(seen.at(-1)?.headers["content-type"], undefined);
    // Where a body may hold the key, one that can't be read is refused, as from any client.
    const unread = await use("weather-api", ["post", "/v1/items"], Buffer.from([0, 1, 255]));
    assert.equal(unread.error["code"], "body-unreadable");
  });

  test("name=value is added to the query, encoded whole", async () => {
    const end = await weather(
      "get",
      "/v1/now?a=1",
      "place=New York & x=#/../?",
      "place=two",
      "evil=1\r\nX-Key: mine\r\n\r\n",
    );
    assert.equal(end.code, 0, end.err);
    assert.equal(
      seen.at(-1)?.url,
      "/v1/now?a=1&place=New%20York%20%26%20x%3D%23%2F..%2F%3F&place=two&evil=1%0D%0AX-Key%3A%20mine%0D%0A%0D%0A",
    );
    assert.equal(seen.at(-1)?.headers["x-key"], real.weather);
    assert.equal((await weather("call", "GET", "/v1/now", "b=2")).code, 0);
    assert.equal(seen.at(-1)?.url, "/v1/now?b=2");
  });

  test("a whole URL goes to another host of the grant, by its rules", async () => {
    const end = await weather("get", "https://files.weather.test/maps/1");
    assert.equal(end.code, 0, end.err);
    assert.deepEqual([seen.at(-1)?.host, seen.at(-1)?.url], ["files.weather.test", "/maps/1"]);
    const other = await weather("get", "https://files.weather.test/v1/now");
    assert.equal(other.error["code"], "not-allowed");
    const foreign = await weather("get", "https://elsewhere.test/v1/now");
    assert.deepEqual([foreign.code, foreign.error["code"]], [3, "not-allowed"]);
    const line = await t.record(({ host }) => host === "elsewhere.test:443");
    assert.deepEqual([line.kind, line.code, line.path], ["command", "not-allowed", "weather-api"]);
  });

  test("the key goes where the service takes it: query, path, cookie", async () => {
    assert.equal((await use("query-api", ["get", "/v1/a", "q=1"])).code, 0);
    assert.match(seen.at(-1)?.url ?? "", /^\/v1\/a\?q=1&token=/);
    assert.equal((await use("path-api", ["get", "/bot{secret}/me"])).code, 0);
    assert.equal((await use("cookie-api", ["get", "/v1/a"])).code, 0);
  });

  test("a service of the catalogue without a command of its own has one", async () => {
    const end = await use("github-api", ["get", "/repos/a/b/issues", "state=open"]);
    assert.equal(end.code, 0, end.err);
    assert.equal(seen.at(-1)?.url, "/repos/a/b/issues?state=open");
    const refused = await use("github-api", ["post", "/repos/a/b/issues", "{}"]);
    assert.equal(refused.code, 3);
    assert.match(refused.error["rule"] ?? "", /^none of GET api\.github\.com\/user/);
  });

  test("where no call can carry the key, there is no command", async () => {
    const end = await use("inbody-api", ["get", "/v1/a"]);
    assert.equal(end.code, 3);
    assert.equal(end.error["code"], "not-granted");
  });

  test("help lists the calls that are allowed, and the hosts", async () => {
    const { code, out } = await weather("--help");
    assert.equal(code, 0);
    const text = out.toString();
    assert.match(text, /^weather-api: the weather at sea$/m);
    assert.match(text, /^Use: weather-api get\|delete PATH /m);
    assert.match(text, /whole URL for https:\/\/files\.weather\.test/);
    assert.match(text, /Calls that are allowed:\n {2}GET api\.weather\.test\/v1\/\*\*\n/);
    assert.doesNotMatch(text, /OPERATION/);
    assert.match(
      (await use("path-api", ["--help"])).out.toString(),
      /Write \{secret\} in the path/,
    );
    const none = await weather();
    assert.equal(none.code, 2);
    assert.match(none.err, /Use: weather-api get/);
  });

  /** Each tries for more than the grant by what the rules can't be taken in by. */
  const TRICKS: readonly (readonly string[])[] = [
    ["get", "/v1/../admin"],
    ["get", "/v1/.."],
    ["get", "/v1/./now"],
    ["get", "/v1/%2e%2e/admin"],
    ["get", "/v1/%2E%2e/admin"],
    ["get", "/v1/%252e%252e/admin"],
    ["get", "/v1/a%2fb"],
    ["get", "/v1/a%5cb"],
    ["get", "/v1/a\\..\\b"],
    ["get", "//evil.test/v1/now"],
    ["get", "/v1//now"],
    ["get", "/v1/..;/admin"],
    ["get", "/v1/now;x=1/../admin"],
    ["get", "/V1/now"],
    ["get", "/v1/admin/users"],
    ["get", "/v1/%61dmin/users"],
    ["get", "/v1/adm\u0131n\u2024/users"],
    ["get", "/v1/\uff0e\uff0e/admin"],
    ["get", "/v1/%c0%ae%c0%ae/admin"],
    ["get", "/v1/now#/../admin"],
    ["get", "/v1/now%00"],
    ["get", "/v1/a\u0000b"],
    ["get", "/v1/now HTTP/1.1\r\nHost: evil.test\r\n\r\nGET /"],
    ["get", "/v1/now\r\nX-Key: mine"],
    ["get", "/v1/now\nx"],
    ["get", "/v1/now?a\r\nX-Key: mine"],
    ["get", "/v1/a b"],
    ["get", "/other"],
    ["post", "/v1/now", "{}"],
    ["delete", "/v1/items"],
    ["put", "/v1/items", "{}"],
    ["call", "CONNECT", "/v1/now"],
    ["call", "TRACE", "/v1/now"],
    ["call", "GETX", "/v1/now"],
    ["get", "https://evil.test/v1/now"],
    ["get", "https://api.weather.test.evil.test/v1/now"],
    ["get", "https://api.weather.test@evil.test/v1/now"],
    ["get", "https://evil.test\\@api.weather.test/v1/now"],
    ["get", "https://me:x@api.weather.test/v1/now"],
    ["get", "https://api.weather.test:8443/v1/now"],
    ["get", "https://API.weather.test/v1/now"],
    ["get", "http://api.weather.test/v1/now"],
    ["get", "https:///v1/now"],
    ["get", "https://query.test/v1/now"],
    ["get", "https://api.weather.test//v1/now"],
    ["get", "https://api.weather.test/v1/../admin"],
  ];
  for (const args of TRICKS) {
    test(`the trick ${JSON.stringify(args.join(" ")).slice(0, 70)} is refused`, async () => {
      const before = seen.length;
      const end = await weather(...args);
      assert.equal(end.code, 3, end.err || end.out.toString());
      assert.equal(end.error["type"], "seawall_refused");
      assert.equal(seen.length, before);
    });
  }

  test("a refusal is recorded like any other call's, and names the rule", async () => {
    const end = await weather("get", "/v1/admin/x");
    assert.equal(end.error["code"], "denied");
    assert.equal(end.error["rule"], "GET /v1/admin/**");
    await t.record((each) => each.kind === "call" && each.code === "denied");
  });

  const USAGE: readonly [what: string, args: readonly string[], message: RegExp][] = [
    ["an unknown verb", ["GET", "/v1/now"], /no operation "GET"; there are: get, post/],
    ["no path", ["get"], /write it as: get PATH/],
    ["a path without a slash", ["get", "v1/now"], /begins with a slash/],
    ["an empty path", ["get", ""], /begins with a slash/],
    ["another scheme", ["get", "file:///etc/passwd"], /begins with a slash/],
    ["a URL with a query alone", ["get", "https://api.weather.test?a"], /begins with a slash/],
    ["a method in small letters", ["call", "get", "/v1/now"], /method/],
    ["a method with a space", ["call", "GET /x", "/v1/now"], /method/],
    ["a body for get", ["get", "/v1/now", '{"a":1}'], /get sends no body/],
    ["malformed JSON", ["post", "/v1/items", '{"a":'], /not well formed JSON/],
    ["a wrong type: text that is no JSON", ["post", "/v1/items", "hello"], /not well formed JSON/],
    ["two bodies", ["post", "/v1/items", "{}", "{}"], /write it as: post PATH/],
    ["JSON that is too deep", ["post", "/v1/items", `${"[".repeat(90)}${"]".repeat(90)}`], /deep/],
    ["half a surrogate pair in a value", ["get", "/v1/now", "a=\ud800"], /not Unicode/],
  ];
  for (const [what, args, message] of USAGE) {
    test(`${what} is a fault of usage, told in one line`, async () => {
      const before = seen.length;
      const end = await weather(...args);
      assert.equal(end.code, 2, end.err);
      assert.match(end.error["message"] ?? "", message);
      assert.equal(end.err.trimEnd().split("\n").length, 1);
      assert.equal(seen.length, before);
    });
  }

  test("what is too large is refused: standard input, and a path beyond any server's", async () => {
    const before = seen.length;
    const body = Buffer.from(`"${"x".repeat(5 * 1024 * 1024)}"`);
    const long = await use("weather-api", ["post", "/v1/items", "-"], body);
    assert.equal(long.code, 2, long.err);
    assert.match(long.error["message"] ?? "", /longer than/);
    const two = await use("weather-api", ["post", "/v1/items", "{}"], Buffer.from("{}"));
    assert.match(two.error["message"] ?? "", /two bodies/);
    const latin = await use(
      "weather-api",
      ["post", "/v1/items", "-"],
      Buffer.from([0x22, 0xff, 0x22]),
    );
    assert.match(latin.error["message"] ?? "", /UTF-8/);
    const path = await weather("get", `/v1/${"a".repeat(900_000)}`);
    assert.notEqual(path.code, 0);
    assert.equal(seen.length, before);
  });

  test("a header that the service lets an agent give is sent, its usual value where none is given", async () => {
    assert.equal((await weather("get", "/v1/now")).code, 0);
    const plain = seen.at(-1)?.headers;
    assert.equal(plain?.["x-api-version"], "2025-01-01");
    assert.equal(plain?.["accept"], "application/json, */*;q=0.5");
    const flag = "--header";
    const given = [flag, "x-api-VERSION: 2026-02-02", "/v1/now", flag, "Accept:text/csv ", "a=1"];
    const end = await weather("get", ...given);
    assert.equal(end.code, 0, end.err);
    const call = seen.at(-1);
    assert.equal(call?.url, "/v1/now?a=1");
    assert.deepEqual(
      [call?.headers["x-api-version"], call?.headers["accept"]],
      ["2026-02-02", "text/csv"],
    );
    assert.equal(call?.headers["x-key"], real.weather);
    // Bytes have the type that is given.
    const json = ["post", "/v1/items", flag, "Content-Type: application/json"];
    assert.equal((await use("weather-api", json, Buffer.from("{}"))).code, 0);
    assert.equal(seen.at(-1)?.headers["content-type"], "application/json");
    const text = ["post", "/v1/items", flag, "Content-Type: text/csv"];
    assert.equal((await use("weather-api", text, Buffer.from("a,b"))).code, 0);
    assert.equal(seen.at(-1)?.headers["content-type"], "text/csv");
  });

  test("the help says which headers may be given, and a service without any takes none", async () => {
    const text = (await weather("--help")).out.toString();
    assert.match(text, /Headers that may be given, each as --header 'NAME: VALUE':\n {2}Accept\n/);
    assert.match(text, /\n {2}X-Api-Version {2}version of the API \(2025-01-01 unless given\)\n/);
    assert.doesNotMatch((await use("query-api", ["--help"])).out.toString(), /--header/);
    const end = await use("query-api", ["get", "/v1/a", "--header", "Accept: text/csv"]);
    assert.deepEqual([end.code, end.error["message"]], [2, "this command takes no headers"]);
    const github = (await use("github-api", ["get", "/user"])).code;
    assert.equal(github, 0);
    assert.equal(seen.at(-1)?.headers["x-github-api-version"], "2022-11-28");
  });

  /** Each would have the call say more than the header's value, or be another one. */
  const HEADERS: readonly (readonly [header: string, message: RegExp])[] = [
    ["Accept: a\r\nX-Key: mine", /printable ASCII/],
    ["Accept: a\nX-Key: mine", /printable ASCII/],
    ["Accept: a\rX-Key: mine", /printable ASCII/],
    ["Accept: a\r\n\r\nGET /v1/admin HTTP/1.1", /printable ASCII/],
    ["Accept: a\r\n folded", /printable ASCII/],
    ["Accept: a\u0000b", /printable ASCII/],
    ["Accept: a\u0085b", /printable ASCII/],
    ["Accept: a\u2028b", /printable ASCII/],
    ["Accept: \u010d\u010aX-Key: mine", /printable ASCII/],
    ["Accept: a\tb", /printable ASCII/],
    ["Accept: \u007f", /printable ASCII/],
    ["Accept: \ud800", /printable ASCII/],
    ["Accept:", /printable ASCII/],
    ["Accept:  ", /printable ASCII/],
    [`Accept: ${"x".repeat(1025)}`, /printable ASCII/],
    ["X-Key: mine", /"X-Key" can't be given; headers are: Accept, Content-Type, X-Api-Version/],
    ["x-key: mine", /can't be given/],
    ["Authorization: Bearer mine", /can't be given/],
    ["Cookie: a=b", /can't be given/],
    ["Host: evil.test", /can't be given/],
    ["Connection: x-key", /can't be given/],
    ["Transfer-Encoding: chunked", /can't be given/],
    ["Content-Length: 0", /can't be given/],
    ["Upgrade: websocket", /can't be given/],
    ["Range: bytes=0-1", /can't be given/],
    ["X-HTTP-Method-Override: DELETE", /can't be given/],
    ["Accept\r\nX-Key: mine", /can't be given/],
    ["Accept : x", /can't be given/],
    [" Accept: x", /can't be given/],
    ["\u0410ccept: x", /can't be given/],
    ["Accept\u0000: x", /can't be given/],
    ["__proto__: x", /can't be given/],
    [": x", /write it as --header/],
    ["Accept", /write it as --header/],
    ["", /write it as --header/],
  ];
  for (const [header, message] of HEADERS) {
    test(`the header ${JSON.stringify(header).slice(0, 60)} is a fault of usage`, async () => {
      const before = seen.length;
      for (const args of [
        ["get", "/v1/now", "--header", header],
        ["--header", header, "get", "/v1/now"],
      ]) {
        const end = await weather(...args);
        assert.equal(end.code, 2, end.err || end.out.toString());
        assert.match(end.error["message"] ?? "", args[0] === "get" ? message : /no operation/);
        assert.equal(end.err.trimEnd().split("\n").length, 1);
      }
      assert.equal(seen.length, before);
    });
  }

  test("a header given twice, to a body that has it, or without a value is a fault of usage", async () => {
    const before = seen.length;
    const tries: [args: string[], message: RegExp][] = [
      [["get", "/v1/now", "--header", "Accept: a", "--header", "accept: b"], /given twice/],
      [["post", "/v1/items", "{}", "--header", "Content-Type: text/plain"], /has it already/],
      [["get", "/v1/now", "--header"], /write it as --header/],
    ];
    for (const [args, message] of tries) {
      const end = await weather(...args);
      assert.equal(end.code, 2, end.err);
      assert.match(end.error["message"] ?? "", message);
    }
    assert.equal(seen.length, before);
  });

  test("the bot's own token in a header that may be given is refused, like anywhere else", async () => {
    const before = seen.length;
    const end = await weather("get", "/v1/now", "--header", `Accept: ${phantom}`);
    assert.equal(end.code, 3, end.err || end.out.toString());
    assert.equal(seen.length, before);
  });

  test("a key of one's own in the place of the key is no way around", async () => {
    const before = seen.length;
    for (const args of [
      ["get", "/v1/a?token=mine"],
      ["get", "/v1/a", "token=mine"],
      ["get", "/v1/a?%74oken=mine"],
    ]) {
      const end = await use("query-api", args);
      assert.equal(end.code, 3, end.out.toString());
    }
    const path = await use("path-api", ["get", "/botmine/me"]);
    assert.notEqual(path.code, 0);
    assert.equal(seen.length, before);
  });

  test("nothing secret was written or said", () => {
    const everything = t.everything();
    for (const value of Object.values(real)) assert.ok(!everything.includes(value));
  });
});

function errorOf({ err }: CommandEnd): Record<string, string> {
  try {
    return (JSON.parse(err) as { error: Record<string, string> }).error;
  } catch {
    return {};
  }
}
