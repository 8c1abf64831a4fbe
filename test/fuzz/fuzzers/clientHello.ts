import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { parseClientHello } from "../../../src/broker/tls/parseClientHello.ts";
import { clientHello as hello } from "../../adversaries/tlsBytes.ts";
import type { Fuzzer } from "../Fuzzer.ts";

/** What OpenSSL, through Node's own client, sends first. */
function realHello(options: tls.ConnectionOptions): Buffer {
  const sent: Buffer[] = [];
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      sent.push(chunk);
      done();
    },
  });
  const socket = tls.connect({ socket: duplex, rejectUnauthorized: false, ...options });
  socket.on("error", () => undefined);
  const bytes = Buffer.concat(sent);
  socket.destroy();
  return bytes;
}

/** What OpenSSL makes of it as a server: the server name it sees, or nothing. */
async function nameByOpenSsl(bytes: Buffer): Promise<{ asked: boolean; name: string | undefined }> {
  const seen = { asked: false, name: undefined as string | undefined };
  const server = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const socket = new tls.TLSSocket(server, {
    isServer: true,
    secureContext: CONTEXT,
    SNICallback: (name, done) => {
      seen.asked = true;
      seen.name = name;
      done(null, CONTEXT);
    },
  });
  socket.on("error", () => undefined);
  server.push(bytes);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  return seen;
}

const CONTEXT = tls.createSecureContext({ ciphers: "PSK", minVersion: "TLSv1.2" });

const SEEDS = [
  realHello({ servername: "api.model.test", ALPNProtocols: ["h2", "http/1.1"] }),
  realHello({ servername: "api.model.test", maxVersion: "TLSv1.2" }),
  hello({ name: "api.model.test" }),
  hello({ name: "api.model.test", recordSize: 40 }),
  hello({ name: "evil.test", second: "api.model.test" }),
  hello({ names: ["api.model.test", "evil.test"] }),
  hello(),
].filter((bytes) => bytes.length > 0);

/** A server name is read as OpenSSL reads it, or the hello is refused: two readings would be two hosts. */
export const clientHello: Fuzzer = {
  name: "client-hello",
  what: "parseClientHello never throws, waits for the last byte, and reads the server name that OpenSSL reads",
  seeds: SEEDS,
  words: [
    "api.model.test",
    "evil.test",
    "\0",
    ".",
    "\x16\x03\x01",
    "\x00\x00",
    "\xff\xff",
    "\x00\x10",
    "\x00\x0e",
  ],
  async check(bytes, random) {
    const result = parseClientHello(bytes);
    if (!("hello" in result)) return;
    // What is complete at some point was nothing but incomplete before it, and doesn't change behind it.
    const before = parseClientHello(bytes.subarray(0, random.below(bytes.length)));
    if ("hello" in before) assert.deepEqual(before, result);
    else assert.equal(before.fault, "more", "refused before it was whole");
    const { asked, name } = await nameByOpenSsl(bytes);
    if (asked)
      assert.equal(name?.toLowerCase(), result.hello.serverName, "OpenSSL reads another name");
  },
};
