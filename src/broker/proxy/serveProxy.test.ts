import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net, { type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { chatGrant, modelGrant, tunnelGrant } from "../testing/grants.ts";
import { tcpHandle } from "../testing/rawHandles.ts";
import { canary, collect, TestBroker, type TestBot } from "../testing/TestBroker.ts";

describe("the explicit proxy", () => {
  let t: TestBroker;
  let model: InjectBrokerGrant;
  let chat: InjectBrokerGrant;
  let plain: InjectBrokerGrant;
  let bot: TestBot;
  const secret = canary("sk-real-");
  const token = canary("proxy-token-");
  let port = 0;
  let upstream: Awaited<ReturnType<TestBroker["upstream"]>>;
  const plainRequests: http.IncomingMessage[] = [];

  before(async () => {
    t = await TestBroker.start({
      resolve: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    });
    t.secrets.set("model", secret).set("chat", `1234:${canary("")}`);
    const names = ["api.model.test", "api.chat.test", "www.tunnel.test"];
    upstream = await t.upstream(names, (_request, response) => response.end(`over TLS ${secret}`));
    const plainPort = await t.plainServer(
      http.createServer((request, response) => {
        plainRequests.push(request);
        request.resume().on("end", () => response.end(`plain ${secret}`));
      }),
    );
    const dial = { host: "127.0.0.1", port: upstream.port, ca: t.upstreamAuthority.ca };
    const at = { port: 443, address: t.nextAddress(), dial };
    model = modelGrant(at);
    chat = chatGrant({ ...at, address: t.nextAddress() });
    plain = modelGrant(
      { ...at, dial: { host: "127.0.0.1", port: plainPort } },
      {
        name: "plain",
        hosts: [{ name: "sonarr.test", port: 8989, scheme: "http", v4: t.nextAddress() }],
        rules: [{ method: "*", path: "/api/**" }],
      },
    );
    const listener = tcpHandle();
    port = listener.port;
    await t.broker.receive(
      { type: "listener", bot: "basecamp", protocol: "tcp", port, family: 4 },
      listener.handle,
    );
    const made = await t.bot("basecamp", [
      model,
      chat,
      plain,
      tunnelGrant({ ...at, address: t.nextAddress() }),
    ]);
    bot = { ...made, proxy: { port, token } };
    assert.deepEqual(await t.configure(t.config([bot])), { type: "configured" });
  });
  after(() => t.end());

  const auth = (): string => `Proxy-Authorization: Bearer ${token}\r\n`;

  async function dial(): Promise<Socket> {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  /** All that comes back for these bytes. */
  async function raw(bytes: string): Promise<string> {
    const socket = await dial();
    const got = collect(socket);
    socket.write(bytes, "latin1");
    return got;
  }

  /** A connection to a host by CONNECT. */
  async function connect(to: string, more = auth()): Promise<Socket> {
    const socket = await dial();
    socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${more}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "HTTP/1.1 200 Connection established\r\n\r\n");
    return socket;
  }

  async function secure(socket: Socket, servername: string, ca: string): Promise<tls.TLSSocket> {
    const secured = tls.connect({ socket, servername, ca });
    secured.on("error", () => undefined);
    await once(secured, "secureConnect");
    return secured;
  }

  const GET = (host: string): string =>
    `GET /v1/models/x HTTP/1.1\r\nHost: ${host}\r\nx-api-key: ${model.phantom}\r\nConnection: close\r\n\r\n`;

  test("acceptConnect() leads to a granted host, whose TLS ends here", async () => {
    const socket = await connect("api.model.test:443");
    const secured = await secure(socket, "api.model.test", t.authority.ca);
    const got = collect(secured);
    secured.write(GET("api.model.test"));
    assert.match(await got, new RegExp(`over TLS ${model.phantom}$`));
    assert.equal(upstream.requests.at(-1)?.headers["x-api-key"], secret);
    const record = await t.record((each) => each.rule === "GET /v1/models/**");
    assert.equal(record.host, "api.model.test:443");
  });

  test("acceptConnect() leads to a tunnelled host, whose TLS goes through", async () => {
    const socket = await connect("www.tunnel.test:443");
    const secured = await secure(socket, "www.tunnel.test", t.upstreamAuthority.ca);
    const got = collect(secured);
    secured.write("GET / HTTP/1.1\r\nHost: www.tunnel.test\r\nConnection: close\r\n\r\n");
    assert.match(await got, /over TLS/);
  });

  test("acceptConnect() takes a Host without the port that goes without saying", async () => {
    const socket = await dial();
    socket.write(`CONNECT www.tunnel.test:443 HTTP/1.1\r\nHost: www.tunnel.test\r\n${auth()}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });

  test("acceptConnect() leads to a plain HTTP host", async () => {
    const socket = await connect("sonarr.test:8989");
    const got = collect(socket);
    socket.write(
      `GET /api/x HTTP/1.1\r\nHost: sonarr.test:8989\r\nx-api-key: ${plain.phantom}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(await got, new RegExp(`plain ${plain.phantom}$`));
  });

  test("acceptConnect() takes bytes that came with the request", async () => {
    const text = await raw(
      `CONNECT sonarr.test:8989 HTTP/1.1\r\nHost: sonarr.test:8989\r\n${auth()}\r\n` +
        `GET /api/y HTTP/1.1\r\nHost: sonarr.test:8989\r\nx-api-key: ${plain.phantom}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  test("the token may be Basic's password", async () => {
    const basic = Buffer.from(`any:${token}`).toString("base64");
    const socket = await connect("api.model.test:443", `proxy-authorization: basic ${basic}\r\n`);
    socket.destroy();
  });

  test("what comes after CONNECT must be TLS with the very name", async () => {
    const other = await connect("api.model.test:443");
    await assert.rejects(async () => secure(other, "api.chat.test", t.authority.ca), {
      code: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
    });
    const http1 = await connect("api.model.test:443");
    const got = collect(http1);
    http1.write(GET("api.model.test"));
    assert.match(await got, /not-tls/);
    await t.record((each) => each.code === "sni-mismatch" && each.host === "api.model.test:443");
  });

  test("the Host header inside must be that of the host that was named", async () => {
    const socket = await connect("api.model.test:443");
    const secured = await secure(socket, "api.model.test", t.authority.ca);
    const got = collect(secured);
    secured.write(GET("api.chat.test"));
    assert.match(await got, /^HTTP\/1\.1 421 /);
  });

  const refused: readonly [string, () => string, number, string][] = [
    ["a host that no grant has", () => "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nAUTH\r\n", 421, "unknown-address"],
    ["another port of a granted host", () => "CONNECT api.model.test:80 HTTP/1.1\r\nHost: api.model.test:80\r\nAUTH\r\n", 421, "unknown-address"],
    ["a granted host's address", () => `CONNECT ${model.hosts[0]?.v4}:443 HTTP/1.1\r\nHost: ${model.hosts[0]?.v4}:443\r\nAUTH\r\n`, 421, "unknown-address"],
    ["no port", () => "CONNECT api.model.test HTTP/1.1\r\nHost: api.model.test\r\nAUTH\r\n", 400, "target-form"],
    ["a user", () => "CONNECT a@api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nAUTH\r\n", 400, "target-form"],
    ["an URL to CONNECT to", () => "CONNECT https://api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nAUTH\r\n", 400, "target-form"],
    ["a trailing dot", () => "CONNECT api.model.test.:443 HTTP/1.1\r\nHost: api.model.test.:443\r\nAUTH\r\n", 400, "target-form"],
    ["another Host without its port", () => "CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.chat.test\r\nAUTH\r\n", 421, "host-mismatch"],
    ["a Host whose port is another one", () => "CONNECT sonarr.test:8989 HTTP/1.1\r\nHost: sonarr.test\r\nAUTH\r\n", 421, "host-mismatch"],
    ["another Host", () => "CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.chat.test:443\r\nAUTH\r\n", 421, "host-mismatch"],
    ["no Host", () => "CONNECT api.model.test:443 HTTP/1.1\r\nAUTH\r\n", 421, "host-mismatch"],
    ["a CONNECT by HTTP/1.0", () => "CONNECT api.model.test:443 HTTP/1.0\r\nHost: api.model.test:443\r\nAUTH\r\n", 400, "malformed-request"],
    ["a phantom in CONNECT", () => `CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nX-A: ${model.phantom}\r\nAUTH\r\n`, 403, "phantom-misplaced"],
    ["no token", () => "CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\n\r\n", 407, "proxy-token"],
    ["another token", () => "CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nProxy-Authorization: Bearer mallory\r\n\r\n", 407, "proxy-token"],
    ["the token twice", () => "CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nAUTHAUTH\r\n", 407, "proxy-token"],
    ["a phantom for a token", () => `CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nProxy-Authorization: Bearer ${model.phantom}\r\n\r\n`, 407, "proxy-token"],
    ["origin-form", () => "GET /x HTTP/1.1\r\nHost: api.model.test\r\nAUTH\r\n", 400, "target-form"],
    ["https in absolute-form", () => "GET https://api.model.test/v1/models/x HTTP/1.1\r\nHost: api.model.test\r\nAUTH\r\n", 400, "target-form"],
    ["a TLS host's port in absolute-form", () => "GET http://api.model.test:443/v1/models/x HTTP/1.1\r\nHost: api.model.test:443\r\nAUTH\r\n", 421, "unknown-address"],
    ["a host without grant in absolute-form", () => "GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nAUTH\r\n", 421, "unknown-address"],
    ["another Host than the target's", () => "GET http://sonarr.test:8989/api/x HTTP/1.1\r\nHost: evil.test\r\nAUTH\r\n", 421, "host-mismatch"],
    ["a user in absolute-form", () => "GET http://a:b@sonarr.test:8989/api/x HTTP/1.1\r\nHost: sonarr.test:8989\r\nAUTH\r\n", 400, "target-form"],
    ["an ambiguous path in absolute-form", () => "GET http://sonarr.test:8989/api/../x HTTP/1.1\r\nHost: sonarr.test:8989\r\nAUTH\r\n", 400, "path-ambiguous"],
    ["no token in absolute-form", () => "GET http://sonarr.test:8989/api/x HTTP/1.1\r\nHost: sonarr.test:8989\r\n\r\n", 407, "proxy-token"],
    ["HTTP/2 by prior knowledge", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "malformed-request"],
    ["a ClientHello", () => "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n", 400, "malformed-request"],
  ]; // prettier-ignore
  for (const [what, bytes, status, code] of refused) {
    test(`the proxy refuses and records ${what}`, async () => {
      const before = upstream.requests.length + plainRequests.length;
      const records = t.records().length;
      const text = await raw(
        bytes().replaceAll("AUTH", auth()).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
      );
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*${code}`));
      if (status === 407) assert.match(text, /proxy-authenticate: Basic realm=/);
      assert.equal(upstream.requests.length + plainRequests.length, before);
      await t.record(() => t.records().length > records);
      assert.equal(t.records().at(-1)?.code, code);
      assert.equal(t.records().at(-1)?.decision, "refuse");
    });
  }

  test("handleProxied() makes a call in absolute-form to a plain HTTP host", async () => {
    const socket = await dial();
    const got = collect(socket);
    const one = (path: string, more: string, body = ""): string =>
      `POST http://sonarr.test:8989${path} HTTP/1.1\r\nHost: sonarr.test:8989\r\nProxy-Connection: keep-alive\r\nx-api-key: ${plain.phantom}\r\n${auth()}${more}\r\n${body}`;
    socket.write(one("/api/a?b=c", "Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"));
    socket.write(one("/api/d", "Content-Length: 2\r\nConnection: close\r\n", "ho"));
    const text = await got;
    assert.equal(text.split(`plain ${plain.phantom}`).length, 3);
    const seen = plainRequests.at(-2);
    assert.equal(seen?.url, "/api/a?b=c");
    assert.equal(seen.headers.host, "sonarr.test:8989");
    assert.equal(seen.headers["x-api-key"], secret);
    assert.equal(seen.headers["proxy-authorization"], undefined);
    assert.equal(seen.headers["proxy-connection"], undefined);
    const record = await t.record((each) => each.path === "/api/a?b");
    assert.equal(record.host, "sonarr.test:8989");
  });

  test("a phantom for a token is found where no token is needed", async () => {
    await t.configure(t.config([{ ...bot, proxy: { port } }]));
    const socket = await connect("api.model.test:443", "");
    socket.destroy();
    const basic = Buffer.from(`x:${model.phantom}`).toString("base64");
    for (const value of [`Bearer ${model.phantom}`, `Basic ${basic}`]) {
      const refusal = await raw(
        `CONNECT api.model.test:443 HTTP/1.1\r\nHost: api.model.test:443\r\nProxy-Authorization: ${value}\r\n\r\n`,
      );
      assert.match(refusal, /phantom-misplaced/);
      const call = await raw(
        `GET http://sonarr.test:8989/api/x HTTP/1.1\r\nHost: sonarr.test:8989\r\nx-api-key: ${plain.phantom}\r\nProxy-Authorization: ${value}\r\nConnection: close\r\n\r\n`,
      );
      assert.match(call, /^HTTP\/1\.1 403 /);
    }
    await t.configure(t.config([bot]));
  });

  test("nothing of it left a secret, a phantom or the token in what the broker wrote", () => {
    const all = t.everything().toLowerCase();
    for (const marker of [secret, model.phantom, plain.phantom, token])
      assert.ok(!all.includes(marker.toLowerCase().slice(12)), "found");
  });
});
