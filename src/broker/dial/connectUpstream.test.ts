import assert from "node:assert/strict";
import { once } from "node:events";
import type { LookupAddress } from "node:dns";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import type { BrokerDial } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import { makeAuthority, type TestAuthority } from "../testing/certificates.ts";
import { grantedHost } from "../testing/granted.ts";
import { TestServers, type TestServer } from "../testing/TestServers.ts";
import {
  connectUpstream,
  type ConnectOptions,
  type UpstreamConnection,
} from "./connectUpstream.ts";
import { DialError } from "./DialError.ts";
import { makeUpstreamContext, type UpstreamSession } from "./upstreamTls.ts";

const NAME = "api.model.test";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

function resolving(...addresses: string[]): ConnectOptions["resolve"] {
  return () =>
    Promise.resolve(
      addresses.map((address): LookupAddress => ({ address, family: net.isIP(address) })),
    );
}

describe("connectUpstream()", () => {
  const servers = new TestServers();
  let authority: TestAuthority;
  before(async () => {
    authority = await makeAuthority("outside");
  });
  after(() => servers.end());

  async function serveTls(
    options: tls.TlsOptions = {},
    issue: Promise<{ chain: string; key: string }> = authority.issue([NAME]),
  ): Promise<TestServer> {
    const { chain, key } = await issue;
    const both = { cert: chain, key, ALPNProtocols: ["h2", "http/1.1"], ...options };
    const server = tls.createServer(both, (socket) => {
      socket.on("error", () => undefined);
      socket.write(`hello ${String(socket.servername)}`);
    });
    return servers.serve(server);
  }

  function https(port: number, dial: BrokerDial = {}, name: string = NAME): Granted {
    return grantedHost(
      { name, port, scheme: "https" },
      { host: "127.0.0.1", ca: authority.ca, ...dial },
    );
  }

  async function dial(
    to: Granted,
    options: Partial<ConnectOptions> = {},
  ): Promise<UpstreamConnection> {
    const made = await connectUpstream(to, {
      resolve: resolving("127.0.0.1"),
      alpn: ["http/1.1"],
      timeoutMs: 20_000,
      ...options,
    });
    servers.onEnd(() => made.socket.destroy());
    return made;
  }

  async function refusal(to: Granted, options: Partial<ConnectOptions> = {}): Promise<string> {
    try {
      await dial(to, options);
      return "connected";
    } catch (error) {
      assert.ok(error instanceof DialError, String(error));
      return error.refused;
    }
  }

  test("verifies TLS against the granted name and says what ALPN agreed on", async () => {
    const { port } = await serveTls();
    const one = await dial(https(port));
    assert.equal(one.alpn, "http/1.1");
    assert.equal(one.address, "127.0.0.1");
    const [said] = (await once(one.socket, "data")) as [Buffer];
    assert.equal(said.toString(), `hello ${NAME}`);
    assert.equal((await dial(https(port), { alpn: ["h2", "http/1.1"] })).alpn, "h2");
    assert.equal((await dial(https(port), { alpn: [] })).alpn, "");
  });

  test("reaches an upstream without ALPN, not one that speaks only another protocol", async () => {
    const { chain, key } = await authority.issue([NAME]);
    const { port } = await servers.serve(tls.createServer({ cert: chain, key }));
    assert.equal((await dial(https(port))).alpn, "");
    const other = await serveTls({ ALPNProtocols: ["spdy/3"] });
    assert.equal(await refusal(https(other.port)), "upstream-untrusted");
  });

  test("sends no server name for an IP literal and checks the certificate against it", async () => {
    const { port } = await serveTls({}, authority.issue(["127.0.0.1"]));
    const { socket } = await dial(https(port, {}, "127.0.0.1"));
    const [said] = (await once(socket, "data")) as [Buffer];
    assert.equal(said.toString(), "hello false");
    assert.equal(await refusal(https(port, {}, "127.0.0.2")), "upstream-untrusted");
  });

  const untrusted: readonly [string, () => ReturnType<TestAuthority["issue"]>][] = [
    ["of another name", () => authority.issue(["api.chat.test"])],
    ["of the dialled address instead of the name", () => authority.issue(["127.0.0.1"])],
    ["of a parent name's wildcard", () => authority.issue(["*.test"])],
    ["that has expired", () => authority.issue([NAME], { notAfter: new Date(Date.now() - 1000) })],
    [
      "that is not valid yet",
      () => authority.issue([NAME], { notBefore: new Date(Date.now() + 600_000) }),
    ],
    ["that signed itself", () => authority.issue([NAME], { selfSigned: true })],
    ["for clients only", () => authority.issue([NAME], { usages: [CLIENT_AUTH] })],
    ["of another CA", async () => (await makeAuthority("stranger")).issue([NAME])],
    ["of a CA by the same name", async () => (await makeAuthority("outside")).issue([NAME])],
  ];
  for (const [what, issue] of untrusted) {
    test(`refuses a certificate ${what}`, async () => {
      const { port } = await serveTls({}, issue());
      assert.equal(await refusal(https(port)), "upstream-untrusted");
    });
  }

  test("takes a wildcard and a server's key usage", async () => {
    const issue = authority.issue(["*.model.test"], { usages: [SERVER_AUTH] });
    assert.equal(await refusal(https((await serveTls({}, issue)).port)), "connected");
  });

  test("trusts no public CA where the grant has its own, and not the grant's where there is none", async () => {
    const { port } = await serveTls();
    const stranger = await makeAuthority("stranger");
    assert.equal(await refusal(https(port, { ca: stranger.ca })), "upstream-untrusted");
    const without = grantedHost({ name: NAME, port, scheme: "https" }, { host: "127.0.0.1" });
    assert.equal(await refusal(without), "upstream-untrusted");
  });

  test("refuses TLS before 1.2, and what isn't TLS at all", async () => {
    const old = { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const one = await serveTls({ ...old, maxVersion: "TLSv1.1" });
    assert.equal(await refusal(https(one.port)), "upstream-untrusted");
    assert.equal(
      await refusal(https((await serveTls({ ...old, maxVersion: "TLSv1.2" })).port)),
      "connected",
    );
    const plain = await servers.handle((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
    assert.equal(await refusal(https(plain.port)), "upstream-untrusted");
  });

  test("doesn't renegotiate, which could bring another certificate", async () => {
    const { chain, key } = await authority.issue([NAME]);
    const refused = Promise.withResolvers<NodeJS.ErrnoException>();
    const server = tls.createServer({ cert: chain, key, maxVersion: "TLSv1.2" }, (socket) => {
      socket.on("error", refused.resolve);
      socket.resume();
      socket.renegotiate({}, () => undefined);
    });
    const { socket } = await dial(https((await servers.serve(server)).port));
    socket.resume();
    assert.equal((await refused.promise).code, "ERR_SSL_NO_RENEGOTIATION");
  });

  test("is not talked out of verifying by the environment", async () => {
    const { port } = await serveTls({}, authority.issue(["other.test"]));
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      assert.equal(await refusal(https(port)), "upstream-untrusted");
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  test("says that an upstream can't be reached when it refuses, cuts or stays silent", async () => {
    const { port } = await servers.handle((socket) => socket.resetAndDestroy());
    assert.equal(await refusal(https(port)), "upstream-unreachable");
    const ended = await servers.handle((socket) => socket.end());
    assert.equal(await refusal(https(ended.port)), "upstream-unreachable");
    const silent = await servers.handle((socket) => socket.resume());
    assert.equal(await refusal(https(silent.port), { timeoutMs: 50 }), "upstream-unreachable");
    const [left] = silent.sockets;
    if (left?.closed === false) await once(left, "close");
    const free = await servers.handle(() => undefined, "127.0.0.1");
    assert.equal(
      await refusal(https(free.port, { host: "127.0.0.9" })),
      "upstream-unreachable",
      "a closed port",
    );
  });

  test("gives up with the bot, before, during and after resolving", async () => {
    const { port, sockets } = await servers.handle((socket) => socket.resume());
    assert.equal(
      await refusal(https(port), { signal: AbortSignal.abort() }),
      "upstream-unreachable",
    );
    assert.equal(sockets.length, 0);
    const slow = new AbortController();
    const looked = refusal(https(port, { host: "slow.lan" }), {
      signal: slow.signal,
      resolve: () => {
        setImmediate(() => {
          slow.abort();
        });
        return new Promise(() => undefined);
      },
    });
    assert.equal(await looked, "upstream-unreachable");
    const during = new AbortController();
    const asked = refusal(https(port), { signal: during.signal });
    while (sockets.length === 0) await new Promise((done) => setImmediate(done));
    during.abort();
    assert.equal(await asked, "upstream-unreachable");
    const [left] = sockets;
    if (left?.closed === false) await once(left, "close");
  });

  test("resumes a session, but only for the name and the context that it was made with", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const { port } = await serveTls({ maxVersion: version }, authority.issue([NAME]));
      const secureContext = makeUpstreamContext(https(port));
      const session = await new Promise<UpstreamSession>((done) => {
        void dial(https(port), { secureContext, onSession: done }).then(({ socket }) =>
          socket.resume(),
        );
      });
      const reused = async (options: Partial<ConnectOptions>): Promise<boolean> => {
        const { socket } = await dial(https(port), { session, ...options });
        assert.ok(socket instanceof tls.TLSSocket);
        return socket.isSessionReused();
      };
      assert.equal(await reused({ secureContext }), true, version);
      assert.equal(await reused({}), false, version);
      assert.equal(await reused({ secureContext: makeUpstreamContext(https(port)) }), false);
      assert.equal(
        await refusal(https(port, {}, "c.test"), { secureContext, session }),
        "upstream-untrusted",
      );
    }
  });

  test("shows its client certificate where there is one", async () => {
    const client = await authority.issue(["basecamp"], { usages: [CLIENT_AUTH] });
    const { port } = await serveTls({ requestCert: true, ca: authority.ca, maxVersion: "TLSv1.2" });
    const clientCertificate = { cert: client.chain, key: client.key };
    assert.equal(await refusal(https(port)), "upstream-untrusted", "the server wants one");
    assert.equal(await refusal(https(port), { clientCertificate }), "connected");
    const stranger = await (await makeAuthority("stranger")).issue(["basecamp"]);
    for (const [cert, key] of [
      ["nonsense", "nonsense"],
      [client.chain, stranger.key],
    ] as const) {
      const wrong = refusal(https(port), { clientCertificate: { cert, key } });
      assert.equal(await wrong, "secret-unavailable");
    }
  });

  test("gives plain bytes for tunnels, TCP and HTTP", async () => {
    const { port } = await servers.handle((socket) => socket.end("first"));
    const at = { host: "127.0.0.1" };
    for (const to of [
      grantedHost({ name: NAME, port, scheme: "https" }, at, "tunnel"),
      grantedHost({ name: NAME, port, scheme: "tcp" }, at),
      grantedHost({ name: NAME, port, scheme: "http" }, at),
    ]) {
      const { socket, alpn } = await dial(to);
      assert.equal(alpn, "");
      const [said] = (await once(socket, "data")) as [Buffer];
      assert.equal(said.toString(), "first");
    }
  });

  test("dials only what it checked, though the name is rebound in between", async () => {
    const { port, sockets } = await serveTls();
    const to = grantedHost({ name: NAME, port, scheme: "https" }, { ca: authority.ca });
    const answers = [["10.0.0.1"], ["127.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]];
    let asked = 0;
    const resolve: ConnectOptions["resolve"] = (name) =>
      resolving(...(answers[asked++] ?? ["127.0.0.1"]))(name);
    for (const _ of answers) assert.equal(await refusal(to, { resolve }), "address-refused");
    assert.equal(asked, answers.length, "one question per connection");
    assert.equal(sockets.length, 0, "nothing was dialled");
    assert.equal(
      await refusal(https(port, { host: "named.lan" }), { resolve: resolving("127.0.0.1") }),
      "connected",
    );
  });

  test("leaves out of a mixture what isn't allowed", async () => {
    const { port } = await serveTls();
    const to = https(port, { host: "mixed.lan" });
    const mixture = ["169.254.169.254", "fe80::1", "0.0.0.0", "255.255.255.255", "127.0.0.1"];
    const { address } = await dial(to, { resolve: resolving(...mixture) });
    assert.equal(address, "127.0.0.1");
  });

  test("tries the next address when one is a black hole, and when one refuses", async () => {
    const hole = await servers.blackHole("127.0.0.2");
    const { port } = await servers.handle((socket) => socket.end("here"), "127.0.0.3", hole);
    const to = grantedHost({ name: NAME, port, scheme: "tcp" }, { host: "many.lan" });
    for (const first of ["127.0.0.2", "127.0.0.9"]) {
      const { address } = await dial(to, { resolve: resolving(first, "127.0.0.3") });
      assert.equal(address, "127.0.0.3");
    }
  });

  test("fails for a name without addresses and for a resolver that fails", async () => {
    assert.equal(
      await refusal(https(443, { host: "none.lan" }), { resolve: resolving() }),
      "address-refused",
    );
    const resolve = (): Promise<never> =>
      Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    assert.equal(
      await refusal(https(443, { host: "none.lan" }), { resolve }),
      "upstream-unreachable",
    );
  });
});
