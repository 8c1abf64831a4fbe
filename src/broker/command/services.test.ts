import assert from "node:assert/strict";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { after, before, describe, test } from "node:test";
import { catalogue } from "../../catalogue/index.ts";
import type { BrokerGrant } from "../BrokerConfig.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { bodyFor, callOf, declaredFor, placedIn } from "../testing/tryService.ts";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { canary, TestBroker } from "../testing/TestBroker.ts";
import { TestCommands } from "../testing/TestCommands.ts";

/** Services whose credential is a signature have tests of their own (aws.test.ts). */
const ENTRIES = [...catalogue.values()].filter(
  ({ program, login, credential }) =>
    program === undefined && login === undefined && credential[0]?.sigv4 === undefined,
);

describe("the services of the catalogue, each with a stand-in that takes the real value only", () => {
  let t: TestBroker;
  const grants = new Map<string, InjectBrokerGrant>();
  const addresses = new Map<string, string>();
  let last: { url: string; headers: IncomingMessage["headers"]; method: string; body: string };

  before(async () => {
    t = await TestBroker.start();
    for (const { name } of ENTRIES) t.secrets.set(name, canary(`real-${name}-`));
    const names = ENTRIES.flatMap((entry) =>
      "url" in declaredFor(entry)
        ? [`${entry.name}.test`]
        : entry.hosts.map((origin) => new URL(origin).hostname),
    );
    const api = await t.upstream([...new Set(names)], (request, response) => {
      void note(request, response);
    });
    const bots = catalogueBots(
      {
        secrets: Object.fromEntries(ENTRIES.map(({ name }) => [name, { vault: name }])),
        bots: {
          basecamp: Object.fromEntries(
            ENTRIES.filter(({ name }) => name !== "anthropic" && name !== "ollama").map((entry) => [
              entry.name,
              declaredFor(entry),
            ]),
          ),
        },
      },
      { host: "127.0.0.1", port: api.port, ca: t.upstreamAuthority.ca },
    );
    const placed = (bots.grants.get("basecamp") ?? []).map((grant): BrokerGrant => ({
      ...grant,
      hosts: grant.hosts.map((host) => {
        const v4 = addresses.get(host.name) ?? t.nextAddress();
        addresses.set(host.name, v4);
        const { v6: _v6, ...rest } = host;
        return { ...rest, port: t.port, v4 };
      }),
    }));
    for (const grant of placed) if (grant.kind === "inject") grants.set(grant.name, grant);
    await t.bot("basecamp", placed);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  async function note(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url = "", headers, method = "" } = request;
    last = { url, headers, method, body: Buffer.concat(chunks).toString() };
    response.end("{}");
  }

  for (const { name, keyless } of ENTRIES) {
    if (name === "anthropic" || name === "ollama") continue;
    test(`${name}: the phantom becomes the real value in every place that is in a request`, async () => {
      const grant = grants.get(name);
      assert.ok(grant);
      const real = keyless === true ? grant.phantom : (t.secrets.get(name) ?? "");
      for (const place of grant.places) {
        if (["websocket", "form", "multipart", "json"].includes(place.in)) continue;
        const { rule, host, path } = callOf(grant, place);
        const { sent, arrived } = placedIn(place, path, grant.phantom, real);
        const method = rule.method === "*" ? "GET" : rule.method;
        const reply = await t.request(
          { name: host, address: addresses.get(host) ?? "" },
          { method, path: sent.path, ...bodyFor(rule, sent.headers) },
        );
        assert.equal(reply.status, 200, `${method} ${sent.path}: ${reply.body}`);
        assert.equal(last.url, arrived.path);
        for (const [header, value] of Object.entries(arrived.headers))
          assert.equal(last.headers[header], value);
        assert.ok(!reply.body.includes(real) || keyless === true);
      }
      // What no rule allows never leaves.
      const before = last;
      const [place] = grant.places;
      assert.ok(place);
      const { host } = callOf(grant, place);
      const { sent } = placedIn(place, "/not/a/call/of/it", grant.phantom, real);
      const refused = await t.request(
        { name: host, address: addresses.get(host) ?? "" },
        { method: "DELETE", path: sent.path, headers: sent.headers },
      );
      assert.match(refused.body, /seawall_refused/);
      assert.equal(last, before);
    });
  }
});

describe("the services that have commands", () => {
  let t: TestBroker;
  let commands: TestCommands;
  let ollamaPort = 0;
  const seen: { url: string; host: string; key: string }[] = [];
  const book = Buffer.alloc(2_000_000, "book");

  before(async () => {
    t = await TestBroker.start({
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    });
    for (const name of ["sonarr", "radarr", "brave", "annas"])
      t.secrets.set(name, canary(`real-${name}-`));
    const plain = http.createServer((request, response) => {
      serve(request, response);
    });
    ollamaPort = await t.plainServer(plain);
    const files = await t.upstream(["files.example.test"], (request, response) => {
      seen.push({ url: request.url ?? "", host: "files", key: JSON.stringify(request.headers) });
      if (request.url === "/moved") response.writeHead(302, { location: "/book" }).end();
      else response.end(book);
    });
    const secure = await t.upstream(
      ["api.search.brave.com", "annas-archive.org"],
      (request, response) => {
        serve(request, response, files.port);
      },
    );
    const { grants } = catalogueBots(
      {
        secrets: Object.fromEntries(
          ["sonarr", "radarr", "brave", "annas"].map((name) => [name, { vault: name }]),
        ),
        bots: {
          basecamp: {
            sonarr: { secret: "sonarr", url: "http://10.0.0.5:8989" },
            radarr: { secret: "radarr", url: "http://10.0.0.5:7878" },
            brave: { secret: "brave" },
            "annas-archive": { secret: "annas" },
            ollama: { url: `http://127.0.0.1:${t.port}`, limits: { callsPerMinute: 3 } },
          },
        },
      },
      (name) =>
        ["brave", "annas-archive"].includes(name)
          ? {
              host: "127.0.0.1",
              port: secure.port,
              ca: t.upstreamAuthority.ca,
              networks: ["127.0.0.0/8"],
            }
          : { host: "127.0.0.1", port: ollamaPort },
    );
    await t.bot("basecamp", grants.get("basecamp") ?? []);
    assert.deepEqual(await t.configure(), { type: "configured" });
    commands = await TestCommands.open(t, "basecamp");
  });
  after(() => t.end());

  function serve(request: IncomingMessage, response: ServerResponse, filesPort = 0): void {
    const { url = "", headers } = request;
    const host = headers.host ?? "";
    const address = new URL(url, "https://x.test");
    const key = String(
      headers["x-api-key"] ??
        headers["x-subscription-token"] ??
        address.searchParams.get("key") ??
        "",
    );
    seen.push({ url, host, key });
    const wanted = host.startsWith("10.0.0.5:8989")
      ? t.secrets.get("sonarr")
      : host.startsWith("10.0.0.5:7878")
        ? t.secrets.get("radarr")
        : host === "api.search.brave.com"
          ? t.secrets.get("brave")
          : address.pathname === "/dyn/api/fast_download.json"
            ? t.secrets.get("annas")
            : "";
    if (key !== wanted) {
      response.writeHead(401).end('{"error":"Unauthorized"}');
      return;
    }
    response.setHeader("content-type", "application/json");
    if (address.pathname === "/search") response.end(PAGE);
    else if (address.pathname.endsWith("fast_download.json")) {
      const md5 = address.searchParams.get("md5") ?? "";
      response.end(JSON.stringify({ download_url: urlFor(md5, filesPort) }));
    } else response.end(JSON.stringify({ at: address.pathname, search: address.search }));
  }

  test("sonarr and radarr answer reading, by the key and the address of the grant", async () => {
    const series = await commands.use("sonarr", ["series.list"]);
    assert.equal(series.err, "");
    assert.deepEqual(JSON.parse(series.out.toString()), { at: "/api/v3/series", search: "" });
    const film = await commands.use("radarr", ["movie.lookup", "term=the sea"]);
    assert.deepEqual(JSON.parse(film.out.toString()), {
      at: "/api/v3/movie/lookup",
      search: "?term=the%20sea",
    });
    const record = await t.record((each) => each.grant === "radarr");
    assert.equal(record.host, "10.0.0.5:7878");
  });

  for (const path of [
    "config/host",
    "indexer",
    "downloadclient",
    "notification",
    "system/backup",
  ]) {
    test(`sonarr: ${path}, which answers with keys, is refused`, async () => {
      const end = await commands.use("sonarr", ["call", "GET", `/api/v3/${path}`]);
      assert.equal(end.code, 3);
    });
  }

  test("sonarr: writing is refused until the grant allows it", async () => {
    const end = await commands.use("sonarr", [
      "call",
      "POST",
      "/api/v3/command",
      '{"name":"RssSync"}',
    ]);
    assert.equal(end.code, 3);
    assert.match(end.err, /not-allowed/);
  });

  test("brave-search searches the web and news", async () => {
    const web = await commands.use("brave-search", ["web", "q=sea wall", "count=3"]);
    assert.deepEqual(JSON.parse(web.out.toString()), {
      at: "/res/v1/web/search",
      search: "?count=3&q=sea%20wall",
    });
    const news = await commands.use("brave-search", ["news", "q=tide"]);
    assert.equal(news.code, 0);
    assert.equal(seen.at(-1)?.key, t.secrets.get("brave"));
  });

  test("annas-archive finds, and fetches a file without the key", async () => {
    const found = await commands.use("annas-archive", ["search", "q=waves"]);
    assert.equal(found.err, "");
    assert.deepEqual(JSON.parse(found.out.toString()), {
      results: [
        { md5: "a".repeat(32), title: "The Waves & other texts", more: ["Woolf, Virginia"] },
        { md5: "b".repeat(32), title: "Tides", more: [] },
      ],
    });
    assert.equal(seen.at(-1)?.key, "");
    const file = await commands.use("annas-archive", ["download", `md5=${"a".repeat(32)}`]);
    assert.equal(file.err, "");
    assert.ok(file.out.equals(book));
    const [asked, fetched] = seen.slice(-2);
    assert.equal(asked?.key, t.secrets.get("annas"));
    assert.ok(!fetched?.key.includes(t.secrets.get("annas") ?? "none"));
    const moved = await commands.use("annas-archive", ["download", `md5=${"b".repeat(32)}`]);
    assert.ok(moved.out.equals(book));
    await t.record((each) => each.kind === "command" && each.method === "download");
    await t.record((each) => each.host?.startsWith("files.example.test:") === true);
  });

  const ELSEWHERE = ["c", "d", "e", "f", "0", "1"];
  for (const digit of ELSEWHERE) {
    test(`annas-archive doesn't fetch ${urlFor(digit.repeat(32), 1)}`, async () => {
      const before = seen.length;
      const end = await commands.use("annas-archive", ["download", `md5=${digit.repeat(32)}`]);
      assert.equal(end.code, 5);
      assert.equal(end.out.length, 0);
      assert.equal(seen.length, before + 1);
    });
  }

  test("annas-archive takes an md5 and nothing else", async () => {
    const end = await commands.use("annas-archive", ["download", `md5=${"../".repeat(10)}aa`]);
    assert.equal(end.code, 2);
  });

  function ask(
    path: string,
    headers: Record<string, string> = {},
    method = "GET",
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = http.request(
        { host: "127.0.0.1", port: t.port, path, method, headers, agent: false },
        (response) => {
          response.resume();
          response.once("end", () => {
            resolve(response.statusCode ?? 0);
          });
        },
      );
      request.on("error", reject).end();
    });
  }

  test("ollama takes no key, and the phantom of a client that insists on one", async () => {
    assert.equal(await ask("/api/tags"), 200);
    const grant = t.bots[0]?.grants.find(({ name }) => name === "ollama");
    assert.ok(grant?.kind === "inject");
    assert.equal(await ask("/v1/models", { authorization: `Bearer ${grant.phantom}` }), 200);
    assert.equal(await ask("/v1/models", { authorization: "Bearer ollama-local" }), 403);
    assert.equal(await ask("/api/delete", {}, "DELETE"), 403);
    assert.equal(await ask("/api/pull", {}, "POST"), 403);
  });

  test("ollama is shared: a bot that asks too often waits", async () => {
    const codes = [await ask("/api/version"), await ask("/api/version"), await ask("/api/version")];
    assert.ok(codes.includes(429), codes.join());
  });
});

const PAGE = `<html><body>
  <a class="x" href="/md5/${"a".repeat(32)}"><img src="/c.png"></a>
  <a href="/md5/${"a".repeat(32)}" class="t">The <b>Waves</b> &amp; other texts</a>
  <a href="/md5/${"a".repeat(32)}">Woolf, Virginia</a>
  <a href="/md5/${"b".repeat(32)}">Tides</a>
  <a href="/md5/short">no</a> <a href="/account">no</a>
</body></html>`;

/** Where the stand-in says that a file lies: two good places, then such as must not be gone to. */
function urlFor(md5: string, port: number): string {
  switch (md5.slice(0, 1)) {
    case "a":
      return `https://files.example.test:${port}/book`;
    case "b":
      return `https://files.example.test:${port}/moved`;
    case "c":
      return "https://169.254.169.254/latest/meta-data/";
    case "d":
      return "https://127.0.0.1/";
    case "e":
      return "http://files.example.test/book";
    case "f":
      return "file:///etc/passwd";
    case "0":
      return "https://user:pass@files.example.test/book";
    default:
      return "https://localhost/";
  }
}
