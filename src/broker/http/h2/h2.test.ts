import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import { after, before, describe, test } from "node:test";
import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import type { InjectBrokerGrant } from "../../Deployment.ts";
import { pairHeaders, type Header } from "../../match.ts";
import { modelGrant } from "../../testing/grants.ts";
import { canary, TestBroker } from "../../testing/TestBroker.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [HEADERS, RST_STREAM, SETTINGS] = [1, 3, 4];
const [END_STREAM, END_HEADERS] = [1, 4];

/** RFC 9113 section 4.1. */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields without indexing (RFC 7541 section 6.2.2), each shorter than 127 bytes. */
function literal(headers: readonly Header[]): Buffer {
  const texts = headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]);
  return Buffer.concat(texts);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
}

/** As /proc/net/tcp writes it (proc(5)). */
function addressText(address: string, port: number): string {
  const bytes = Buffer.from(address.split(".").map(Number).toReversed());
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return `${bytes.toString("hex").toUpperCase()}:${hex}`;
}

/** Connections there of which only the other side has said that it is done (CLOSE_WAIT). */
function halfClosed(local: string): number {
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => line.includes(` ${local} `) && / 08 /.test(line)).length;
}

type Act = (stream: ServerHttp2Stream) => void;

interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string;
  readonly trailers: readonly Header[];
}

describe("calls by HTTP/2", () => {
  let t: TestBroker;
  let model: InjectBrokerGrant;
  let plain: InjectBrokerGrant;
  let session: ClientHttp2Session;
  const secret = canary("sk-real-");
  const host = { name: "api.model.test", address: "" };
  const oldHost = { name: "api.old.test", address: "" };
  const seen: { path: string; headers: readonly Header[] }[] = [];
  const acts = new Map<string, Act>();
  let upstreamSessions = 0;
  let old: Awaited<ReturnType<TestBroker["upstream"]>>;

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("model", secret);
    const { chain, key } = await t.upstreamAuthority.issue([host.name]);
    const server = http2.createSecureServer({ cert: chain, key });
    server.on("session", () => (upstreamSessions += 1));
    server.on(
      "stream",
      (
        stream: ServerHttp2Stream,
        headers: http2.IncomingHttpHeaders,
        _flags: number,
        raw: unknown,
      ) => {
        const path = headers[":path"] ?? "";
        seen.push({ path, headers: pairHeaders(raw as string[]) });
        stream.on("error", () => undefined);
        const act = acts.get(path);
        if (act !== undefined) act(stream);
        else {
          stream.respond({ ":status": 200 });
          stream.end(`whole ${secret}`);
        }
      },
    );
    const port = await t.plainServer(server);
    old = await t.upstream([oldHost.name], (request, response) => {
      request.resume().on("end", () => {
        response.setHeader("Set-Cookie", ["a=1", "b=2"]).end(`old ${secret}`);
      });
    });
    host.address = t.nextAddress();
    oldHost.address = t.nextAddress();
    const { ca } = t.upstreamAuthority;
    model = modelGrant(
      { port: t.port, address: host.address, dial: { host: "127.0.0.1", port, ca } },
      {
        rules: [{ method: "*", path: "/**" }],
      },
    );
    plain = modelGrant(
      {
        port: t.port,
        address: oldHost.address,
        dial: { host: "127.0.0.1", port: old.port, ca },
      },
      {
        name: "old",
        hosts: [{ name: oldHost.name, port: t.port, scheme: "https", v4: oldHost.address }],
        rules: [{ method: "*", path: "/**" }],
      },
    );
    await t.bot("basecamp", [model, plain]);
    await t.bot("erdos", [
      modelGrant({ port: t.port, address: t.nextAddress(), dial: { host: "127.0.0.1", port } }),
    ]);
    assert.deepEqual(await t.configure(), { type: "configured" });
    session = await open(host);
  });
  after(async () => {
    session.destroy();
    await t.end();
  });

  async function open(to: { name: string; address: string }): Promise<ClientHttp2Session> {
    const socket = await t.connect(to.address, to.name, { ALPNProtocols: ["h2"] });
    const opened = http2.connect(`https://${to.name}`, { createConnection: () => socket });
    opened.on("error", () => undefined);
    return opened;
  }

  /** Fields of a request with the phantom, others put in place or added. */
  function fields(path: string, more: readonly string[] = [], to = host): string[] {
    const phantom = to === host ? model.phantom : plain.phantom;
    const authority = `${to.name}:${t.port}`;
    return [":method", "GET", ":scheme", "https", ":authority", authority, ":path", path].concat(
      ["x-api-key", phantom],
      more,
    );
  }

  function post(path: string, more: readonly string[] = []): string[] {
    return [":method", "POST", ...fields(path, more).slice(2)];
  }

  function answerTo(stream: http2.ClientHttp2Stream): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let headers: readonly Header[] = [];
      let trailers: readonly Header[] = [];
      let body = "";
      stream.on("response", (_headers, _flags, raw: unknown) => {
        headers = pairHeaders(raw as string[]);
      });
      stream.on("trailers", (_headers, _flags, raw: unknown) => {
        trailers = pairHeaders(raw as string[]);
      });
      stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
      stream.on("error", reject);
      stream.on("end", () => {
        const status = Number(headers.find(([name]) => name === ":status")?.[1]);
        if (headers.length === 0) reject(new Error("no answer"));
        else resolve({ status, headers, body, trailers });
      });
    });
  }

  async function ask(list: string[], body?: string, on = session): Promise<Answer> {
    const stream = on.request(list, { endStream: body === undefined });
    const answer = answerTo(stream);
    if (body !== undefined) stream.end(body);
    return answer;
  }

  test("serveH2() and H2Session carry calls with the secret in and the phantom back", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(fields(`/v1/${index}`, ["x-other", "Kept"]))),
    );
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      assert.equal(body, `whole ${model.phantom}`);
    }
    const { headers } = seen.at(-1) ?? { headers: [] };
    assert.ok(headers.some(([name, value]) => name === "x-api-key" && value === secret));
    assert.ok(headers.some(([name, value]) => name === "x-other" && value === "Kept"));
    assert.equal(upstreamSessions, 1);
    assert.equal((await t.record((each) => each.path === "/v1/0")).outcome, "done");
  });

  test("a call by HTTP/2 goes out by HTTP/1.1 where the upstream speaks no other", async () => {
    const other = await open(oldHost);
    const { status, headers, body } = await ask(fields("/x", [], oldHost), undefined, other);
    assert.equal(status, 200);
    assert.equal(body, `old ${plain.phantom}`);
    assert.deepEqual(
      headers.filter(([name]) => name === "set-cookie").map(([, value]) => value),
      ["a=1", "b=2"],
    );
    const posted = [":method", "POST", ...fields("/y", [], oldHost).slice(2)];
    assert.equal((await ask(posted, "text", other)).status, 200);
    assert.equal(old.requests.at(-1)?.headers["transfer-encoding"], "chunked");
    assert.equal(old.connections(), 1);
    other.destroy();
  });

  test("a call by HTTP/1.1 to the same host is made by HTTP/1.1 and fails where only HTTP/2 is spoken", async () => {
    const reply = await t.request(host, { path: "/v1/x", headers: { "x-api-key": model.phantom } });
    assert.equal(reply.status, 502);
  });

  test("gRPC streams both ways at once, with its trailers", async () => {
    acts.set("/grpc", (stream) => {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("data", (chunk: Buffer) => {
        stream.write(framed(`got ${chunk.toString("latin1", 5)}`));
      });
      stream.on("end", () => stream.end());
      stream.on("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "0", "grpc-message": `for ${secret}` });
      });
    });
    const stream = session.request(
      post("/grpc", ["te", "trailers", "content-type", "application/grpc"]),
    );
    const answer = answerTo(stream);
    // The answer begins before there is any body.
    await once(stream, "response");
    for (const word of ["one", "two"]) {
      stream.write(framed(word));
      const [chunk] = (await once(stream, "data")) as [Buffer];
      assert.equal(chunk.toString(), framed(`got ${word}`).toString());
    }
    stream.end();
    const { trailers } = await answer;
    assert.deepEqual(trailers, [
      ["grpc-status", "0"],
      ["grpc-message", `for ${model.phantom}`],
    ]);
    const { headers } = seen.at(-1) ?? { headers: [] };
    assert.ok(headers.some(([name, value]) => name === "te" && value === "trailers"));
  });

  /** A message as gRPC frames it. */
  function framed(text: string): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(text.length, 1);
    return Buffer.concat([head, Buffer.from(text)]);
  }

  const refused: readonly [string, () => string[], number, string][] = [
    [
      "another authority",
      () => fields("/x").map((each) => (each.startsWith(host.name) ? oldHost.name : each)),
      421,
      "host-mismatch",
    ],
    [
      "a Host that isn't the authority",
      () => fields("/x", ["host", "evil.test"]),
      421,
      "host-mismatch",
    ],
    ["no credential", () => fields("/x").slice(0, 8), 403, "no-credential"],
    ["a path in two ways", () => fields("/v1/../x"), 400, "path-ambiguous"],
  ];
  for (const [what, list, status, code] of refused) {
    test(`a request by HTTP/2 with ${what} is refused`, async () => {
      const before = seen.length;
      const answer = await ask(list());
      assert.equal(answer.status, status);
      assert.match(answer.body, new RegExp(code));
      assert.equal(seen.length, before);
      await t.record((each) => each.code === code);
    });
  }

  test("a Host that says the same as the authority is taken", async () => {
    assert.equal((await ask(fields("/same", ["host", `${host.name}:${t.port}`]))).status, 200);
  });

  test("CONNECT by HTTP/2 is refused, extended or not", async () => {
    const stream = session.request([":method", "CONNECT", ":authority", "evil.test:443"]);
    const [head] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    assert.equal(head[":status"], 405);
    stream.on("error", () => undefined);
    stream.close();
    await t.record((each) => each.code === "connect-method");
    const other = await open(host);
    const extended = other.request([
      ":method", "CONNECT", ":protocol", "websocket", ":scheme", "https",
      ":authority", `${host.name}:${t.port}`, ":path", "/x",
    ]); // prettier-ignore
    await assert.rejects(answerTo(extended));
    other.destroy();
  });

  for (const [name, value] of [
    ["transfer-encoding", "chunked"],
    ["connection", "x-api-key"],
    ["upgrade", "h2c"],
    ["te", "gzip"],
    ["content-length", "5"],
  ] as const) {
    test(`a request by HTTP/2 with ${name}: ${value} reaches nobody`, async () => {
      const before = seen.length;
      const other = await open(host);
      try {
        const stream = other.request(fields("/hop", [name, value]), { endStream: true });
        await assert.rejects(answerTo(stream));
      } catch {
        // Node's own client refuses some of it already.
      }
      assert.equal((await ask(fields("/control"))).status, 200);
      assert.equal(seen.length, before + 1);
      other.destroy();
    });
  }

  test("crumbs of a cookie are put together", async () => {
    acts.set("/cookie", (stream) => {
      stream.respond({ ":status": 200 });
      stream.end();
    });
    const answer = await ask(fields("/cookie", ["cookie", "a=1", "cookie", "b=2"]));
    // No place of the grant: refused as a credential nobody named, once put together.
    assert.match(answer.body, /foreign-credential/);
  });

  test("half a request is never taken for a whole", async () => {
    const ended: unknown[] = [];
    const reached = new Promise<ServerHttp2Stream>((resolve) => {
      acts.set("/half", (stream) => {
        stream.on("end", () => ended.push(stream.aborted || stream.rstCode !== 0));
        stream.on("data", () => {
          resolve(stream);
        });
      });
    });
    const stream = session.request(post("/half"), { waitForTrailers: true });
    stream.on("error", () => undefined);
    stream.write("half of it");
    const upstream = await reached;
    const closed = once(upstream, "close");
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await closed;
    assert.ok(!ended.includes(false));
    assert.equal((await t.record((each) => each.path === "/half")).outcome, "client-abort");
  });

  test("a body with another bot's phantom is cut, not ended", async () => {
    const stranger = t.bots[1]?.grants[0];
    assert.ok(stranger?.kind === "inject");
    const ended: unknown[] = [];
    const over = new Promise((resolve) => {
      acts.set("/leak", (stream) => {
        stream.resume();
        stream.on("end", () => ended.push(stream.aborted || stream.rstCode !== 0));
        stream.on("close", resolve);
      });
    });
    const answer = await ask(post("/leak"), `before ${stranger.phantom} after`);
    assert.match(answer.body, /foreign-phantom-in-body/);
    await over;
    assert.ok(!ended.includes(false));
  });

  test("half a reply is never taken for a whole", async () => {
    acts.set("/torn", (stream) => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.write("half", () => {
        stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
      });
    });
    await assert.rejects(ask(fields("/torn")));
    assert.equal((await t.record((each) => each.path === "/torn")).outcome, "upstream-error");
  });

  test("a lost session of the upstream is a plain 502, and the next call has another", async () => {
    acts.set("/lost", (stream) => {
      stream.session?.destroy();
    });
    assert.equal((await ask(post("/lost"), "x")).status, 502);
    assert.equal((await ask(fields("/after"))).status, 200);
  });

  test("a large body passes both ways whole, at the reader's pace", async () => {
    const large = "0123456789abcdef".repeat(150_000);
    acts.set("/echo", (stream) => {
      stream.respond({ ":status": 200 });
      stream.pipe(stream);
    });
    const answer = await ask(post("/echo"), large);
    assert.equal(answer.body.length, large.length);
    assert.ok(answer.body === large);
  });

  test("a header list beyond the limits is refused and the others go on", async () => {
    const other = await open(host);
    const flood = Array.from({ length: 300 }, (_, index) => [`x-${index}`, "1"]).flat();
    await assert.rejects(answerTo(other.request(fields("/flood", flood))));
    const long = other.request(fields("/long", ["x-long", "a".repeat(40_000)]));
    await assert.rejects(answerTo(long));
    other.destroy();
    assert.equal((await ask(fields("/control2"))).status, 200);
  });

  test("a burst of resets ends the session; a few don't", async () => {
    acts.set("/reset", () => undefined);
    const burst = async (count: number): Promise<TLSSocket> => {
      const socket = await t.connect(host.address, host.name, { ALPNProtocols: ["h2"] });
      socket.resume();
      const pairs = pairHeaders(fields("/reset"));
      socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]));
      for (let stream = 1; stream < count * 2; stream += 2) {
        const head = frame(HEADERS, END_HEADERS | END_STREAM, stream, literal(pairs));
        const reset = frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, 8]));
        if (!socket.destroyed) socket.write(Buffer.concat([head, reset]));
        if (stream % 40 === 1) await new Promise((resolve) => setImmediate(resolve));
      }
      return socket;
    };
    const few = await burst(50);
    assert.equal((await ask(fields("/few"))).status, 200);
    assert.equal(few.destroyed, false);
    few.destroy();
    assert.ok(!t.records().some((each) => each.code === "too-many-connections"));
    const many = await burst(1000);
    await t.record((each) => each.code === "too-many-connections");
    if (!many.closed) await once(many, "close");
  });

  test("a flood of pings ends the session; one doesn't", async () => {
    const other = await open(host);
    const closed = once(other, "close");
    await new Promise<void>((resolve) =>
      other.ping(() => {
        resolve();
      }),
    );
    for (let round = 0; round < 300 && !other.destroyed; round += 1)
      await new Promise<void>((resolve) => {
        if (
          other.destroyed ||
          !other.ping(() => {
            resolve();
          })
        )
          resolve();
      });
    await closed;
  });

  test("a connection whose bot has gone is let go of at once, used or not", async () => {
    for (const used of [true, false]) {
      const socket = await t.connect(host.address, host.name, { ALPNProtocols: ["h2"] });
      if (used) {
        const opened = http2.connect(`https://${host.name}`, { createConnection: () => socket });
        opened.on("error", () => undefined);
        await ask(fields("/left"), undefined, opened);
      }
      const local = addressText(host.address, t.port);
      socket.destroy();
      await once(socket, "close");
      const until = Date.now() + 10_000;
      while (halfClosed(local) > 0) {
        assert.ok(Date.now() < until, "the broker keeps a connection that nobody else has");
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  });

  test("a bot that goes in the middle takes its calls with it, towards the host too", async () => {
    const left = Promise.withResolvers<void>();
    acts.set("/thinks", (stream) => {
      stream.once("close", () => {
        left.resolve();
      });
      stream.respond({ ":status": 200 });
      // A line, since letters alone wait for what comes after them.
      stream.write("thinking\n");
    });
    const socket = await t.connect(host.address, host.name, { ALPNProtocols: ["h2"] });
    const opened = http2.connect(`https://${host.name}`, { createConnection: () => socket });
    opened.on("error", () => undefined);
    const stream = opened.request(fields("/thinks"));
    stream.on("error", () => undefined);
    await once(stream, "data");
    // Without a word of HTTP/2: a program that was killed says none.
    socket.destroy();
    await left.promise;
    const record = await t.record(({ path }) => path === "/thinks");
    assert.equal(record.outcome, "client-abort");
  });

  test("HTTP/2 by prior knowledge on a connection that agreed on HTTP/1.1 is refused", async () => {
    const text = await t.raw(host, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert.match(text, /^HTTP\/1\.1 4\d\d [^]*x-seawall: refused/);
  });

  test("an upgrade to h2c is refused", async () => {
    const reply = await t.request(host, {
      path: "/v1/x",
      headers: {
        "x-api-key": model.phantom,
        connection: "Upgrade, HTTP2-Settings",
        upgrade: "h2c",
        "http2-settings": "AAMAAABkAAQAAP__",
      },
    });
    assert.equal(reply.status, 501);
  });
});
