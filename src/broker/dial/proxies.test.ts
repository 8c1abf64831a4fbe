import assert from "node:assert/strict";
import { once } from "node:events";
import { isIP, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import type { Granted } from "../Deployment.ts";
import { makeAuthority, type TestAuthority } from "../testing/certificates.ts";
import { grantedHost } from "../testing/granted.ts";
import { connectProxy, socksProxy, type TestProxy } from "../testing/TestProxy.ts";
import { TestServers } from "../testing/TestServers.ts";
import { connectUpstream, type ConnectOptions } from "./connectUpstream.ts";
import { DialError } from "./DialError.ts";
import { readProxyAddress } from "./ProxyAddress.ts";

const NAME = "api.model.test";

describe("connectUpstream() by proxy", () => {
  const servers = new TestServers();
  let authority: TestAuthority;
  /** TLS that says hello. */
  let port: number;
  before(async () => {
    authority = await makeAuthority("outside");
    const { chain, key } = await authority.issue([NAME]);
    const upstream = tls.createServer({ cert: chain, key }, (socket) => {
      socket.on("error", () => undefined);
      socket.write("hello");
    });
    ({ port } = await servers.serve(upstream));
  });
  after(() => servers.end());

  /** A granted host behind a proxy, under a name that the owner chose. */
  function behind(proxy: string, scheme: "https" | "http" | "tcp" = "https", at = port): Granted {
    const dial = { host: "model.lan", proxy, ca: authority.ca };
    return grantedHost({ name: NAME, port: at, scheme }, dial);
  }

  /** What the upstream says first, or why it isn't reached. */
  async function hear(to: Granted, options: Partial<ConnectOptions> = {}): Promise<string> {
    try {
      const { socket } = await connectUpstream(to, {
        resolve: resolving("127.0.0.1"),
        alpn: ["http/1.1"],
        timeoutMs: 20_000,
        ...options,
      });
      servers.onEnd(() => socket.destroy());
      const [said] = (await once(socket, "data")) as [Buffer];
      return said.toString();
    } catch (error) {
      assert.ok(error instanceof DialError, String(error));
      return error.refused;
    }
  }

  function resolving(...addresses: string[]): ConnectOptions["resolve"] {
    return () => Promise.resolve(addresses.map((address) => ({ address, family: isIP(address) })));
  }

  const kinds: readonly [string, () => Promise<TestProxy>][] = [
    ["CONNECT", () => connectProxy(servers)],
    ["SOCKS", () => socksProxy(servers)],
    ["SOCKS byte by byte", () => socksProxy(servers, { slowly: true })],
  ];
  for (const [kind, start] of kinds) {
    test(`reaches an upstream by ${kind}, TLS held to the name`, async () => {
      const proxy = await start();
      assert.equal(await hear(behind(proxy.url)), "hello");
      assert.ok(proxy.asked.length > 0);
      const other = grantedHost(
        { name: "other.test", port, scheme: "https" },
        { host: "model.lan", proxy: proxy.url, ca: authority.ca },
      );
      assert.equal(await hear(other), "upstream-untrusted");
    });

    test(`gives ${kind} only checked addresses, never a name`, async () => {
      const proxy = await start();
      const to = behind(proxy.url);
      assert.equal(await hear(to, { resolve: resolving("169.254.169.254") }), "address-refused");
      const own = grantedHost({ name: NAME, port, scheme: "https" }, { proxy: proxy.url });
      for (const address of ["127.0.0.1", "10.0.0.1", "::ffff:127.0.0.1", "::7f00:1"])
        assert.equal(await hear(own, { resolve: resolving(address) }), "address-refused");
      assert.deepEqual(proxy.asked, []);
      const mixture = resolving("169.254.169.254", "127.0.0.1");
      assert.equal(await hear(to, { resolve: mixture }), "hello");
      assert.ok(!proxy.asked.join("\n").includes("model"));
      assert.ok(!proxy.asked.join("\n").includes(Buffer.from("model").toString("hex")));
    });

    test(`reaches plain TCP by ${kind}, also where the server speaks first`, async () => {
      const proxy = await start();
      const smtp = await servers.handle((socket) => socket.write("220 mail"));
      assert.equal(await hear(behind(proxy.url, "tcp", smtp.port)), "220 mail");
      const echo = await servers.handle((socket) => socket.pipe(socket));
      const { socket } = await connectUpstream(behind(proxy.url, "http", echo.port), {
        resolve: resolving("127.0.0.1"),
        alpn: [],
        timeoutMs: 20_000,
      });
      servers.onEnd(() => socket.destroy());
      socket.write("GET /");
      const [said] = (await once(socket, "data")) as [Buffer];
      assert.equal(said.toString(), "GET /");
    });
  }

  test("says the same in both protocols: address and port of the upstream", async () => {
    const connect = await connectProxy(servers);
    await hear(behind(connect.url));
    assert.deepEqual(connect.asked, [
      `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
    ]);
    const socks = await socksProxy(servers);
    await hear(behind(socks.url));
    const inHex = port.toString(16).padStart(4, "0");
    assert.deepEqual(socks.asked, ["050100", `050100017f000001${inHex}`]);
    await hear(behind(connect.url), { resolve: resolving("::1"), timeoutMs: 500 });
    assert.ok(connect.asked[1]?.startsWith(`CONNECT [::1]:${port} HTTP/1.1\r\nHost: [::1]:`));
    await hear(behind(socks.url), { resolve: resolving("::1"), timeoutMs: 500 });
    assert.equal(socks.asked[3], `05010004${"0".repeat(31)}1${inHex}`);
  });

  const ok = "HTTP/1.1 200 OK\r\n";
  const lies: readonly [string, string | ((socket: Socket) => void)][] = [
    ["a no", "HTTP/1.1 403 Forbidden\r\n\r\n"],
    ["a password wanted", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"],
    ["a redirect", "HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\n\r\n"],
    ["an interim answer", `HTTP/1.1 100 Continue\r\n\r\n${ok}\r\n`],
    ["a protocol switch", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["a yes with a length", `${ok}Content-Length: 5\r\n\r\n`],
    ["a yes with a body", `${ok}Content-Length: 5\r\n\r\nhello`],
    ["a yes with chunks", `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a yes with bytes behind it", `${ok}\r\nHTTP/1.1 200 OK\r\n\r\n`],
    ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["HTTP/1.11", "HTTP/1.11 200 OK\r\n\r\n"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["two spaces", "HTTP/1.1  200 OK\r\n\r\n"],
    ["a folded header", `${ok}A: b\r\n c\r\n\r\n`],
    ["a header without a colon", `${ok}nothing\r\n\r\n`],
    ["a space before the colon", `${ok}Via : x\r\n\r\n`],
    ["a bare line feed", `HTTP/1.1 200 OK\nA: b\r\n\r\n`],
    ["a NUL", `${ok}A: \0\r\n\r\n`],
    ["a head without end", `${ok}A: ${"x".repeat(20_000)}`],
    [
      "headers without end",
      (socket) => {
        const more = (): void => {
          while (!socket.destroyed && socket.write("X-More: of the same\r\n"));
          if (!socket.destroyed) socket.once("drain", more);
        };
        socket.write(ok);
        more();
      },
    ],
    ["an end", (socket) => socket.end("HTTP/1.1 200")],
    ["a reset", (socket) => socket.resetAndDestroy()],
  ];
  for (const [what, answer] of lies) {
    test(`takes for no connection when the proxy answers CONNECT with ${what}`, async () => {
      const { url } = await connectProxy(
        servers,
        typeof answer === "string" ? (socket) => socket.write(answer, "latin1") : answer,
      );
      assert.match(await hear(behind(url)), /^(?:proxy-failed|upstream-unreachable)$/);
    });
  }

  const honest: readonly [string, string][] = [
    ["no headers", `${ok}\r\n`],
    ["HTTP/1.0", "HTTP/1.0 200 Connection established\r\n\r\n"],
    ["no reason", "HTTP/1.1 200\r\n\r\n"],
    ["another 2xx", "HTTP/1.1 204 Yes\r\n\r\n"],
    ["a length of nothing", `${ok}content-length: 0\r\n\r\n`],
    ["latin1", `${ok}Via: \xe4\r\n\r\n`],
  ];
  for (const [what, answer] of honest) {
    test(`is connected when the proxy answers CONNECT with ${what}`, async () => {
      const { url } = await connectProxy(servers, (socket) => socket.write(answer, "latin1"));
      assert.equal(await hear(behind(url)), "hello");
    });
  }

  const wrong: readonly [string, { method?: Buffer; answer?: Buffer }][] = [
    ["SOCKS 4", { method: Buffer.from([4, 0]) }],
    ["a password wanted", { method: Buffer.from([5, 2]) }],
    ["no method", { method: Buffer.from([5, 255]) }],
    ["a no", { answer: Buffer.from([5, 2, 0, 1, 0, 0, 0, 0, 0, 0]) }],
    ["another version", { answer: Buffer.from([4, 0, 0, 1, 0, 0, 0, 0, 0, 0]) }],
    ["an unknown address type", { answer: Buffer.from([5, 0, 0, 2, 0, 0, 0, 0, 0, 0]) }],
    ["a reserved byte set", { answer: Buffer.from([5, 0, 1, 1, 0, 0, 0, 0, 0, 0]) }],
    ["bytes behind the yes", { answer: Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 22, 3, 3]) }],
  ];
  for (const [what, says] of wrong) {
    test(`takes for no connection when the proxy answers SOCKS with ${what}`, async () => {
      const { url } = await socksProxy(servers, says);
      assert.equal(await hear(behind(url)), "proxy-failed");
    });
  }

  test("reads the bound address of a SOCKS answer, of any kind, to its end", async () => {
    const v6 = Buffer.concat([Buffer.from([5, 0, 0, 4]), Buffer.alloc(18)]);
    const name = Buffer.from([5, 0, 0, 3, 4, 0x61, 0x62, 0x63, 0x64, 0, 80]);
    const empty = Buffer.from([5, 0, 0, 3, 0, 0, 80]);
    for (const answer of [v6, name, empty])
      for (const slowly of [false, true])
        assert.equal(
          await hear(behind((await socksProxy(servers, { answer, slowly })).url)),
          "hello",
        );
  });

  test("gives up a proxy that says nothing", async () => {
    const { port: silent, sockets } = await servers.handle((socket) => socket.resume());
    for (const kind of ["http", "socks5"]) {
      const to = behind(`${kind}://127.0.0.1:${silent}`);
      assert.equal(await hear(to, { timeoutMs: 50 }), "upstream-unreachable");
    }
    assert.equal(sockets.length, 2);
    for (const socket of sockets) if (!socket.closed) await once(socket, "close");
  });

  test("finds a proxy by name, anywhere but at link-local and metadata addresses", async () => {
    const { url } = await connectProxy(servers);
    const byName = url.replace("127.0.0.1", "proxy.lan");
    assert.equal(await hear(behind(byName)), "hello");
    const resolve: ConnectOptions["resolve"] = (name) =>
      Promise.resolve([
        { address: name === "proxy.lan" ? "169.254.169.254" : "127.0.0.1", family: 4 },
      ]);
    assert.equal(await hear(behind(byName), { resolve }), "address-refused");
  });

  test("sends plain HTTP, which may carry a secret, only by a proxy on a private network", () => {
    const clear = (url: string): ReadonlySet<string> =>
      readProxyAddress(url, true).destination.allowed;
    assert.deepEqual([...clear("http://8.8.8.8:80")], ["private", "loopback"]);
    assert.deepEqual([...clear("http://proxy.test:80")], ["private", "loopback"]);
  });
});

test("readProxyAddress() reads a host and a port, and nothing else", () => {
  const read = (text: string): string => {
    const { kind, destination } = readProxyAddress(text, false);
    return `${kind} ${destination.host} ${destination.port}`;
  };
  assert.equal(read("http://Proxy.LAN:3128"), "http proxy.lan 3128");
  assert.equal(read("http://10.0.0.1"), "http 10.0.0.1 80");
  assert.equal(read("socks5://[fd00::1]:9050/"), "socks5 fd00::1 9050");
  assert.equal(read("socks5://127.0.0.1"), "socks5 127.0.0.1 1080");
  const wrong = [
    ["", "proxy:80", "https://proxy:443", "socks4://p:1", "socks5h://p:1", "http://", "http://:80"],
    ["http://user:pass@proxy:80", "http://user@proxy", "http://proxy:0", "http://proxy:65536"],
    [
      "http://proxy:80/path",
      "http://proxy?x",
      "http://proxy#x",
      "http://a b",
      "http://[::1",
      "http://p:",
    ],
    ["http://proxy:80\r\nHost: x", "http://pröxy:80", "http://proxy:80 "],
  ].flat();
  for (const text of wrong)
    assert.throws(
      () => readProxyAddress(text, false),
      (error) =>
        error instanceof DialError &&
        error.refused === "proxy-failed" &&
        !error.message.includes("pass"),
      text,
    );
});
