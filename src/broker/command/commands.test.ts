import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { serviceAccount, TokenStandIn } from "../mint/testing/TokenStandIn.ts";
import { catalogueBots } from "../testing/catalogueBots.ts";
import { TestBroker } from "../testing/TestBroker.ts";
import { TestCommands, type CommandEnd } from "../testing/TestCommands.ts";

/** What the stand-in of Google's APIs was asked, and what it says next. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
}

describe("client commands", () => {
  let t: TestBroker;
  let commands: TestCommands;
  const provider = new TokenStandIn({ refreshToken: "unused", clientSecret: "unused" });
  const seen: Seen[] = [];
  let answer: ((response: ServerResponse) => void) | undefined;

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("sa", serviceAccount());
    const api = await t.upstream(
      [
        "www.googleapis.com",
        "gmail.googleapis.com",
        "sheets.googleapis.com",
        "tasks.googleapis.com",
      ],
      (request, response) => {
        void serve(request, response);
      },
    );
    const tokens = await t.upstream(["oauth2.googleapis.com"], (request, response) => {
      provider.handleToken(request, response);
    });
    const ca = t.upstreamAuthority.ca;
    const { grants, minted } = catalogueBots(
      {
        secrets: {
          sa: { vault: "sa" },
          google: {
            googleServiceAccount: "sa",
            subject: "bot@example.com",
            scopes: ["https://www.googleapis.com/auth/calendar.readonly"],
          },
        },
        bots: {
          basecamp: {
            "google-api": {
              secret: "google",
              allow: ["...", "POST www.googleapis.com/calendar/v3/calendars/*/events"],
              deny: ["GET gmail.googleapis.com/**"],
            },
          },
        },
      },
      (name) => ({ host: "127.0.0.1", port: name === "google" ? tokens.port : api.port, ca }),
    );
    t.minted.push(...minted);
    await t.bot("basecamp", grants.get("basecamp") ?? []);
    assert.deepEqual(await t.configure(), { type: "configured" });
    commands = await TestCommands.open(t, "basecamp");
  });
  after(() => t.end());

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    // Takes only a token that the provider made for the right subject.
    if (provider.issued.get(token)?.subject !== "bot@example.com") {
      response.writeHead(401, { "content-type": "application/json" }).end('{"error":"bad token"}');
      return;
    }
    const { method = "", url = "", headers } = request;
    seen.push({
      method,
      url,
      host: headers.host ?? "",
      body: Buffer.concat(chunks).toString(),
      headers,
    });
    if (answer === undefined)
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ ok: url }));
    else answer(response);
  }

  async function google(
    ...args: string[]
  ): Promise<CommandEnd & { readonly error: Record<string, string> }> {
    const end = await commands.use("google-api", args);
    return { ...end, error: errorOf(end) };
  }

  async function answering(
    how: (response: ServerResponse) => void,
    ...args: string[]
  ): ReturnType<typeof google> {
    answer = how;
    try {
      return await google(...args);
    } finally {
      answer = undefined;
    }
  }

  test("an operation is one HTTP call with a token that only the broker has", async () => {
    const end = await google(
      "calendar.events",
      "calendarId=team@example.com",
      "maxResults=5",
      "q=a & b",
    );
    assert.equal(end.err, "");
    assert.equal(end.code, 0);
    const call = seen.at(-1);
    assert.equal(
      call?.url,
      "/calendar/v3/calendars/team%40example.com/events?maxResults=5&orderBy=startTime&q=a%20%26%20b&singleEvents=true",
    );
    assert.equal(call.host, "www.googleapis.com");
    assert.deepEqual(JSON.parse(end.out.toString()), { ok: call.url });
    const record = await t.record((each) => each.kind === "call" && each.outcome === "done");
    assert.equal(record.rule, "GET www.googleapis.com/calendar/v3/calendars/*/events");
    for (const token of provider.issued.keys()) assert.ok(!t.everything().includes(token));
  });

  test("input comes as JSON, as an argument or on standard input", async () => {
    const event = { summary: "Lunch", start: { dateTime: "2026-03-01T12:00:00Z" } };
    const one = await google("calendar.create", JSON.stringify({ calendarId: "primary", event }));
    assert.equal(one.code, 0);
    assert.deepEqual(JSON.parse(seen.at(-1)?.body ?? ""), event);
    const input = Buffer.from(JSON.stringify({ event }));
    const two = await commands.use(
      "google-api",
      ["calendar.create", "-", "calendarId=primary"],
      input,
    );
    assert.equal(two.code, 0);
    assert.deepEqual(JSON.parse(seen.at(-1)?.body ?? ""), event);
    assert.equal(seen.at(-1)?.headers["content-type"], "application/json");
  });

  test("any call goes by method and path, where the rules allow it", async () => {
    const end = await google("call", "GET", "/calendar/v3/users/me/calendarList?maxResults=1");
    assert.equal(end.code, 0);
    assert.equal(seen.at(-1)?.url, "/calendar/v3/users/me/calendarList?maxResults=1");
    const post = await google("call", "POST", "/calendar/v3/freeBusy", '{"items":[]}');
    assert.equal(post.code, 0);
    assert.equal(seen.at(-1)?.body, '{"items":[]}');
  });

  test("a refusal names the rule", async () => {
    const before = seen.length;
    const unnamed = await google("call", "DELETE", "/calendar/v3/calendars/primary");
    assert.equal(unnamed.code, 3);
    assert.equal(unnamed.error["code"], "not-allowed");
    assert.match(
      unnamed.error["rule"] ?? "",
      /^none of GET www\.googleapis\.com\/calendar\/v3\/users/,
    );
    const denied = await google("gmail.read", "id=17");
    assert.equal(denied.code, 3);
    assert.equal(denied.error["code"], "denied");
    assert.equal(denied.error["rule"], "GET gmail.googleapis.com/**");
    assert.equal(denied.error["grant"], "google-api");
    assert.equal(seen.length, before);
  });

  test("help teaches, of the command and of each operation", async () => {
    const all = await google("--help");
    assert.equal(all.code, 0);
    assert.match(all.out.toString(), /calendar\.events +events of a calendar/);
    assert.match(all.out.toString(), /Calls that are allowed:\n {2}GET www\.googleapis\.com/);
    const one = await google("calendar.events", "--help");
    assert.match(one.out.toString(), /calendarId +the calendar's id.*required/);
    const none = await google();
    assert.equal(none.code, 2);
    assert.match(none.err, /Use: google-api OPERATION/);
  });

  const USAGE: readonly [what: string, args: readonly string[], message: RegExp][] = [
    [
      "an unknown operation",
      ["calendar.destroy"],
      /no operation "calendar.destroy"; there are: calendar/,
    ],
    ["malformed JSON", ["calendar.events", '{"calendarId": '], /not well formed JSON/],
    ["JSON that is no object", ["calendar.events", "-"], /standard input|JSON/],
    ["two JSON objects", ["calendar.events", "{}", "{}"], /one JSON object/],
    [
      "an unknown input",
      ["calendar.events", "calendarId=a", "color=red"],
      /no input "color"; it takes calendarId/,
    ],
    ["an input twice", ["calendar.events", "calendarId=a", '{"calendarId":"b"}'], /twice/],
    ["a missing input", ["calendar.events"], /"calendarId" is missing/],
    ["a wrong type", ["calendar.events", '{"calendarId":7}'], /must be a string/],
    [
      "a wrong type in a pair",
      ["calendar.events", "calendarId=a", "maxResults=many"],
      /must be an integer/,
    ],
    ["a fraction", ["calendar.events", "calendarId=a", "maxResults=1.5"], /must be an integer/],
    [
      "a number out of bounds",
      ["calendar.events", "calendarId=a", "maxResults=9999"],
      /at most 250/,
    ],
    [
      "a value that isn't one of the known",
      ["gmail.read", "id=1", "format=raw"],
      /one of full, metadata, minimal/,
    ],
    ["an empty segment", ["calendar.events", "calendarId="], /must not be empty/],
    [
      "half a surrogate pair",
      ["calendar.events", String.raw`{"calendarId":"\ud800"}`],
      /not Unicode/,
    ],
    [
      "JSON without end of depth",
      ["calendar.create", "calendarId=a", `event=${'{"a":'.repeat(90)}1${"}".repeat(90)}`],
      /must be an object/,
    ],
    [
      "a prototype",
      ["calendar.events", '{"calendarId":"a","__proto__":{"x":1}}'],
      /no input "__proto__"/,
    ],
    ["a method in small letters", ["call", "get", "/calendar/v3/files"], /method/],
    ["a path without a slash", ["call", "GET", "calendar"], /slash/],
    ["a body that isn't JSON", ["call", "POST", "/calendar/v3/freeBusy", "items"], /JSON/],
    ["too many words", ["call", "GET", "/a", "{}", "{}"], /write it as/],
  ];
  for (const [what, args, message] of USAGE) {
    test(`${what} is a fault of usage, told in one line`, async () => {
      const before = seen.length;
      const end = await google(...args);
      assert.equal(end.code, 2);
      assert.match(end.error["message"] ?? "", message);
      assert.equal(end.err.trimEnd().split("\n").length, 1);
      assert.equal(seen.length, before);
    });
  }

  /** A bot that was granted one calendar's events tries for something else by that. */
  const TRICKS = [
    ["calendar.events", "calendarId=.."],
    ["calendar.events", "calendarId=."],
    ["calendar.events", "calendarId=../../drive/v3/files"],
    ["calendar.events", "calendarId=a/b"],
    ["calendar.events", "calendarId=a\\b"],
    ["calendar.events", "calendarId=a%2fb"],
    ["calendar.events", "calendarId=%2e%2e"],
    ["calendar.events", "calendarId=..;x"],
    ["calendar.events", "calendarId=a\r\nx-evil: 1"],
    ["calendar.events", "calendarId=a\u0000b"],
    ["call", "GET", "/calendar/v3/calendars/../../../drive/v3/about"],
    ["call", "GET", "/calendar/v3/calendars/%2e%2e/%2e%2e/about"],
    ["call", "GET", "//evil.example/calendar/v3/calendars/a/events"],
    ["call", "GET", "/calendar/v3/calendars/a//events"],
    ["call", "GET", "/calendar/v3/calendars/..;/events"],
    ["call", "GET", "/calendar/v3/calendars/a/events HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /"],
    ["call", "GET", "/calendar/v3/calendars/\uff0e\uff0e/events"],
    ["call", "GET", "/calendar/v3/calendars/%c0%ae%c0%ae/events"],
    ["call", "GET", "/calendar/v3/calendars/a/EVENTS"],
    ["call", "GET", "/calendar/v3/freeBusy?_method=DELETE"],
    ["call", "GET", "/calendar/v3/calendars/a/events#/../x"],
    ["call", "GET", "/CALENDAR/v3/calendars/a/events"],
    ["call", "CONNECT", "/"],
    ["call", "TRACE", "/calendar/v3/freeBusy"],
  ];
  for (const args of TRICKS) {
    test(`the trick ${JSON.stringify(args.slice(1).join(" ")).slice(0, 70)} is refused`, async () => {
      const before = seen.length;
      const end = await google(...args);
      assert.equal(end.code, 3, end.err);
      assert.equal(end.error["type"], "seawall_refused");
      assert.equal(seen.length, before);
    });
  }

  test("what looks like a header or another call in a value stays a value", async () => {
    const end = await google("gmail.search", "q=x\r\nAuthorization: Bearer y");
    // Gmail is denied in this grant; the same in a query that is allowed:
    assert.equal(end.code, 3);
    const other = await google("drive.search", "q=x\r\nAuthorization: Bearer y&alt=media");
    assert.equal(other.code, 0);
    assert.equal(
      seen.at(-1)?.url,
      "/drive/v3/files?q=x%0D%0AAuthorization%3A%20Bearer%20y%26alt%3Dmedia",
    );
  });

  const MALFORMED: readonly [what: string, bytes: Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["no JSON", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["half a request", Buffer.from('{"v":1,"command":"google-api"')],
    ["another version", Buffer.from('{"v":2,"command":"google-api","args":[],"body":false}\n')],
    [
      "arguments that are none",
      Buffer.from('{"v":1,"command":"google-api","args":[1],"body":false}\n'),
    ],
    [
      "bytes that are not UTF-8",
      Buffer.from('{"v":1,"command":"\xff","args":[],"body":false}\n', "latin1"),
    ],
    ["two megabytes", Buffer.alloc(2 * 1024 * 1024, 0x20)],
    ["a null", Buffer.from("null\n")],
  ];
  for (const [what, bytes] of MALFORMED) {
    test(`${what} instead of a request is refused and counted`, async () => {
      const end = await commands.send(bytes);
      assert.equal(end.code ?? 2, 2);
      t.broker.abandon("stopped");
      await t.record((each) => each.kind === "command" && each.code === "malformed-request");
      assert.equal((await google("--help")).code, 0);
    });
  }

  test("a command that no grant has is refused by name", async () => {
    const end = await commands.use("bridge", ["status"]);
    assert.equal(end.code, 3);
    assert.match(end.err, /not-granted/);
    assert.equal((await commands.use("../bin/sh", [])).code, 3);
  });

  test("a process of another user gets no answer", async () => {
    const foreign = await TestCommands.open(t, "nobody", (process.getuid?.() ?? 0) + 1);
    assert.equal((await foreign.use("google-api", ["--help"])).code, undefined);
    t.broker.abandon("stopped");
    await t.record((each) => each.code === "foreign-peer");
  });

  test("an error of the service is told as that, short, and with exit 1", async () => {
    const end = await answering((response) => {
      response.writeHead(404, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "no such calendar" } }));
    }, "calendar.list");
    assert.equal(end.code, 1);
    assert.equal(end.error["code"], "http-404");
    assert.match(end.err, /no such calendar/);
    const long = await answering((response) => {
      response.writeHead(500).end("x".repeat(3_000_000));
    }, "calendar.list");
    assert.equal(long.code, 1);
    assert.ok(long.err.length < 40_000);
  });

  test("a redirect is not followed, and told", async () => {
    const end = await answering((response) => {
      response.writeHead(302, { location: "http://169.254.169.254/" }).end();
    }, "calendar.list");
    assert.equal(end.code, 1);
    assert.equal(end.error["code"], "http-302");
  });

  test("an answer without end is cut at the operation's bound", async () => {
    const end = await answering((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(256 * 1024, 0x61)), 1);
      response.on("close", () => {
        clearInterval(timer);
      });
    }, "calendar.list");
    assert.equal(end.code, 5);
    assert.equal(end.error["code"], "too-large");
    assert.ok(end.out.length <= 8 * 1024 * 1024);
  });

  test("an answer that unpacks to a thousand times its size is cut at the same bound", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const end = await answering((response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    }, "calendar.list");
    assert.equal(end.code, 5);
    assert.equal(end.error["code"], "too-large");
  });

  test("an answer that lies about its length, or is no HTTP, fails", async () => {
    const short = await answering((response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{}", () => response.destroy());
    }, "calendar.list");
    assert.equal(short.code, 5);
    const other = await answering((response) => {
      response.socket?.end("220 mail.example.com ESMTP\r\n");
    }, "calendar.list");
    assert.equal(other.code, 5);
    assert.equal(other.error["code"], "upstream-protocol");
    assert.equal((await google("calendar.list")).code, 0);
  });

  test("the token is not in what the service repeats", async () => {
    const end = await answering((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ token: response.req.headers.authorization }));
    }, "calendar.list");
    assert.equal(end.code, 0);
    for (const token of provider.issued.keys()) assert.ok(!end.out.toString().includes(token));
    assert.match(end.out.toString(), /Bearer ya29\.c\./);
  });

  test("a client that goes away ends its call", async () => {
    const socket = net.connect(commands.path);
    const arrived = new Promise<ServerResponse>((resolve) => {
      answer = resolve;
    });
    socket.write('{"v":1,"command":"google-api","args":["calendar.list"],"body":false}\n');
    const response = await arrived;
    const closed = new Promise((resolve) => response.once("close", resolve));
    response.writeHead(200).write("{");
    socket.destroy();
    await closed;
    answer = undefined;
    await t.record((each) => each.outcome === "client-abort" && each.grant === "google-api");
  });

  test("many at once are all answered", async () => {
    const ends = await Promise.all(
      Array.from({ length: 100 }, (_, index) => google("drive.search", `q=${index}`)),
    );
    assert.deepEqual(
      ends.map(({ code }) => code).filter((code) => code !== 0),
      [],
    );
    assert.ok(ends.every(({ out }, index) => out.toString().includes(`q=${index}`)));
  });

  test("nothing secret was written or said", () => {
    const everything = t.everything();
    assert.ok(!everything.includes("PRIVATE KEY"));
    for (const token of provider.issued.keys()) assert.ok(!everything.includes(token));
  });
});

function errorOf({ err }: CommandEnd): Record<string, string> {
  try {
    return (JSON.parse(err) as { error: Record<string, string> }).error;
  } catch {
    return {};
  }
}
