import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import net, { type AddressInfo, type Socket } from "node:net";
import tls from "node:tls";
import type { LookupAddress } from "node:dns";
import type { BrokerDial, BrokerGrant } from "../BrokerConfig.ts";
import type { Granted } from "../Deployment.ts";
import { modelGrant } from "../testing/grants.ts";
import { makeAuthority, type TestAuthority } from "../testing/certificates.ts";
import {
  connectUpstream,
  type ConnectOptions,
  type UpstreamConnection,
} from "./connectUpstream.ts";
import { DialError } from "./DialError.ts";
import { makeUpstreamContext } from "./upstreamTls.ts";

const NAME = "api.model.test";

/** A granted host with a credential; `kind` and `scheme` make it another one. */
function granted(
  dial: BrokerDial,
  port: number,
  change: { readonly scheme?: "http" | "https" | "tcp"; readonly name?: string } = {},
): Granted {
  const scheme = change.scheme ?? "https";
  const host = { name: change.name ?? NAME, port, scheme };
  const inject = { ...modelGrant({ port, address: "127.0.0.1", dial }), hosts: [host] };
  const grant: BrokerGrant =
    scheme === "tcp" ? { kind: "tcp", name: "g", hosts: [host], dial } : inject;
  return { bot: "basecamp", grant, host };
}

function resolving(...addresses: string[]): ConnectOptions["resolve"] {
  return () =>
    Promise.resolve(
      addresses.map((address): LookupAddress => ({ address, family: net.isIP(address) })),
    );
}

async function listen(server: net.Server, address = "127.0.0.1", port = 0): Promise<number> {
  server.listen(port, address);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("connectUpstream()", () => {
  let authority: TestAuthority;
  const closers: (() => unknown)[] = [];
  before(async () => {
    authority = await makeAuthority("outside");
  });
  after(() => {
    for (const close of closers) close();
  });

  /** A server that is closed with all its connections after the tests. */
  async function serve(
    server: net.Server,
    address?: string,
    port?: number,
  ): Promise<{ readonly port: number; readonly sockets: Socket[] }> {
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
    });
    server.on("tlsClientError", () => undefined);
    closers.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return { port: await listen(server, address, port), sockets };
  }

  async function serveTls(options: tls.TlsOptions = {}, names: readonly string[] = [NAME]) {
    const { chain, key } = await authority.issue(names);
    return serve(
      tls.createServer({ cert: chain, key, ALPNProtocols: ["h2", "http/1.1"], ...options }, (socket) => {
        socket.on("error", () => undefined);
        socket.write(`hello ${String(socket.servername)}`);
      }),
    );
  }

  async function dial(
    to: Granted,
    options: Partial<ConnectOptions> = {},
  ): Promise<UpstreamConnection> {
    const made = await connectUpstream(to, {
      resolve: resolving("127.0.0.1"),
      alpn: ["http/1.1"],
      timeoutMs: 10_000,
      ...options,
    });
    closers.push(() => made.socket.destroy());
    return made;
  }

  async function refusal(to: Granted, options: Partial<ConnectOptions> = {}): Promise<string> {
    try {
      await dial(to, options);
      return "connected";
    } catch (error) {
      assert.ok(error instanceof DialError);
      return error.refused;
    }
  }

  test("verifies TLS against the granted name and says what ALPN agreed on", async () => {
    const { port } = await serveTls();
    const to = granted({ host: "127.0.0.1", ca: authority.ca }, port);
    const one = await dial(to);
    assert.equal(one.alpn, "http/1.1");
    assert.equal(one.address, "127.0.0.1");
    const [said] = (await once(one.socket, "data")) as [Buffer];
    assert.equal(said.toString(), `hello ${NAME}`);
    assert.equal((await dial(to, { alpn: ["h2", "http/1.1"] })).alpn, "h2");
    assert.equal((await dial(to, { alpn: [] })).alpn, "");
  });
});
