import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ServerHttp2Session } from "node:http2";
import { test } from "node:test";
import { makeAuthority } from "../testing/certificates.ts";
import { grantedHost } from "../testing/granted.ts";
import { TestServers } from "../testing/TestServers.ts";
import { H2Session } from "./h2/H2Session.ts";
import { HostPool } from "./HostPool.ts";

test("HostPool let go of while it connects: the session serves its one call and ends with it", async (t) => {
  const servers = new TestServers();
  t.after(() => servers.end());
  const authority = await makeAuthority("outside");
  const { chain, key } = await authority.issue(["api.test"]);
  const server = http2.createSecureServer({ cert: chain, key });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("served");
  });
  const { port } = await servers.serve(server);
  const accepted = once(server, "session") as Promise<[ServerHttp2Session]>;
  const host = { name: "api.test", port: 443, scheme: "https" } as const;
  const pool = new HostPool(grantedHost(host, { host: "127.0.0.1", port, ca: authority.ca }), () =>
    Promise.resolve([]),
  );
  const signal = new AbortController().signal;
  const connecting = pool.take({ h2: true, timeoutMs: 30_000, signal });
  // A configuration without this host comes into force in this moment.
  pool.retire();
  const connection = await connecting;
  assert.ok(connection instanceof H2Session);
  assert.equal(connection.usable, false);
  const exchange = connection.start(
    { method: "GET", target: "/", headers: [["Host", "api.test"]] },
    false,
  );
  const [session] = await accepted;
  const closed = once(session, "close");
  exchange.end(Buffer.alloc(0), []);
  const reply = await exchange.reply;
  assert.equal(reply.status, 200);
  let body = "";
  for await (const chunk of reply.body) body += chunk.toString();
  assert.equal(body, "served");
  await closed;
});
