import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import tls, { type TLSSocket } from "node:tls";
import { BrokerError } from "../BrokerError.ts";
import { makeAuthority, type TestAuthority } from "../testing/certificates.ts";
import { realHello, withExtension } from "../testing/clientHello.ts";
import { TestServers } from "../testing/TestServers.ts";
import { peekClientHello } from "./peekClientHello.ts";
import { TlsEnd } from "./TlsEnd.ts";

const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

/** What became of a connection on the server's side. */
type Taken = TLSSocket | undefined;

describe("TlsEnd", () => {
  const servers = new TestServers();
  let authority: TestAuthority;
  let certificate: { readonly chain: string; readonly key: string };
  before(async () => {
    authority = await makeAuthority("wall");
    certificate = await authority.issue(["a.test", "b.test"]);
  });
  after(() => servers.end());

  /** A port at which TLS ends as the broker ends it, after looking at the ClientHello. */
  async function serve(
    end: TlsEnd,
    nameRead?: string,
  ): Promise<{ readonly port: number; readonly taken: Promise<Taken>[] }> {
    const taken: Promise<Taken>[] = [];
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      const settler = Promise.withResolvers<Taken>();
      taken.push(settler.promise);
      peekClientHello(socket, 10_000, (result) => {
        assert.ok("hello" in result);
        end.take(socket, nameRead ?? result.hello.serverName, (secure) => {
          secure?.write("hello");
          settler.resolve(secure);
        });
      });
    });
    return { port: (await servers.serve(server)).port, taken };
  }

  /** Connects, and tells how it went, whether a session was resumed, and the session for the next time. */
  function visit(
    port: number,
    options: tls.ConnectionOptions,
  ): Promise<{ readonly said: string; readonly reused: boolean; readonly session?: Buffer }> {
    return new Promise((resolve) => {
      const socket = tls.connect({ port, host: "127.0.0.1", ca: authority.ca, ...options });
      let session: Buffer | undefined;
      const done = (said: string): void => {
        const reused = socket.isSessionReused();
        socket.destroy();
        resolve({ said, reused, ...(session === undefined ? {} : { session }) });
      };
      socket.on("session", (made) => {
        session = made;
      });
      socket.once("error", (error: NodeJS.ErrnoException) => {
        done(error.code ?? "");
      });
      socket.once("close", () => {
        done("closed");
      });
      socket.on("data", (chunk: Buffer) => {
        // A ticket comes with each full handshake, and is told of when it likes.
        if (session !== undefined || socket.isSessionReused()) done(chunk.toString());
        else
          socket.once("session", () => {
            done(chunk.toString());
          });
      });
    });
  }

  function made(): TlsEnd {
    return new TlsEnd("basecamp", certificate, ["http/1.1"]);
  }

  for (const maxVersion of VERSIONS) {
    test(`resumes a session by ${maxVersion}, under its own name only`, async () => {
      const { port, taken } = await serve(made());
      const first = await visit(port, { servername: "a.test", maxVersion });
      assert.equal(first.said, "hello");
      assert.equal(first.reused, false);
      const { session } = first;
      assert.ok(session !== undefined);
      const again = await visit(port, { servername: "a.test", maxVersion, session });
      assert.deepEqual([again.said, again.reused], ["hello", true]);
      const other = await visit(port, { servername: "b.test", maxVersion, session });
      assert.deepEqual([other.said, other.reused], ["hello", false]);
      const names = (await Promise.all(taken)).map((each) => each?.servername);
      assert.equal(names[2], "b.test");
    });

    test(`resumes no session of another bot by ${maxVersion}`, async () => {
      const one = await serve(made());
      const two = await serve(made());
      const { session } = await visit(one.port, { servername: "a.test", maxVersion });
      assert.ok(session !== undefined);
      const there = await visit(two.port, { servername: "a.test", maxVersion, session });
      assert.deepEqual([there.said, there.reused], ["hello", false]);
    });

    test(`ends a handshake by ${maxVersion} in which OpenSSL read another name than was looked at`, async () => {
      const { port, taken } = await serve(made(), "b.test");
      const { said } = await visit(port, { servername: "a.test", maxVersion });
      assert.notEqual(said, "hello");
      assert.equal(await taken[0], undefined);
    });

    test(`answers a mismatch of ALPN by ${maxVersion} with the alert for it`, async () => {
      const { port, taken } = await serve(made());
      const options = { servername: "a.test", maxVersion };
      assert.equal(
        (await visit(port, { ...options, ALPNProtocols: ["h3", "ftp"] })).said,
        "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
      );
      assert.equal(await taken[0], undefined);
      const ALPNProtocols = ["h3", "http/1.1"];
      assert.equal((await visit(port, { ...options, ALPNProtocols })).said, "hello");
    });
  }

  test("doesn't renegotiate", async () => {
    const { port } = await serve(made());
    const socket = tls.connect({
      port,
      host: "127.0.0.1",
      ca: authority.ca,
      servername: "a.test",
      maxVersion: "TLSv1.2",
    });
    await once(socket, "data");
    const failed = new Promise<NodeJS.ErrnoException>((done) => socket.once("error", done));
    socket.renegotiate({}, () => undefined);
    assert.equal((await failed).code, "ERR_SSL_NO_RENEGOTIATION");
  });

  test("gives out no ticket that allows early data", async () => {
    const { port } = await serve(made());
    const { session } = await visit(port, { servername: "a.test", maxVersion: "TLSv1.3" });
    const tags = derTags(session ?? Buffer.alloc(0));
    // OpenSSL's ssl/ssl_asn1.c: [10] is the ticket, [15] max_early_data where it isn't zero.
    assert.ok(tags.includes(0xaa), "a ticket");
    assert.ok(!tags.includes(0xaf), "no early data");
  });

  test("passes nothing on that was sent as early data", async () => {
    const { port, taken } = await serve(made());
    const hello = withExtension(await realHello({ servername: "a.test" }), 42, Buffer.alloc(0));
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const closed = new Promise((done) => socket.once("close", done));
    const early = Buffer.from("GET / HTTP/1.1\r\n\r\n");
    socket.write(Buffer.concat([hello, Buffer.from([23, 3, 3, 0, early.length]), early]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer[0], 22, "a ServerHello");
    socket.destroy();
    await closed;
    assert.equal(await taken[0], undefined);
  });

  test("ends TLS where the ClientHello says that another is sealed inside: the outer name counts", async () => {
    const { port } = await serve(made());
    const hello = withExtension(
      await realHello({ servername: "a.test" }),
      0xfe0d,
      Buffer.alloc(200),
    );
    const socket = net.connect(port, "127.0.0.1");
    socket.write(hello);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer[0], 22, "a ServerHello");
    socket.destroy();
  });

  test("refuses TLS before 1.2", async () => {
    const { port, taken } = await serve(made());
    const old = {
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    const { said } = await visit(port, { servername: "a.test", ...old });
    assert.match(said, /ALERT_PROTOCOL_VERSION/);
    assert.equal(await taken[0], undefined);
  });

  test("gives up a handshake that doesn't come to an end", async () => {
    const { port, taken } = await serve(new TlsEnd("basecamp", certificate, ["http/1.1"], 20));
    const socket: Socket = net.connect(port, "127.0.0.1");
    const closed = new Promise((done) => socket.once("close", done));
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(await realHello({ servername: "a.test" }));
    await closed;
    assert.equal(await taken[0], undefined);
  });

  test("says which bot's certificate can't be used, and nothing of it", async () => {
    const stranger = await authority.issue(["a.test"]);
    for (const wrong of [
      { chain: "nonsense", key: "nonsense" },
      { chain: certificate.chain, key: stranger.key },
    ])
      assert.throws(
        () => new TlsEnd("basecamp", wrong, []),
        (error) =>
          error instanceof BrokerError &&
          error.code === "certificate-invalid" &&
          error.message === 'the certificate of bot "basecamp" can\'t be used',
      );
  });
});

/** The tags of the members of the DER sequence that the bytes end with; Node writes a head of its own before it. */
function derTags(bytes: Buffer): readonly number[] {
  const read = (at: number): { readonly start: number; readonly end: number } => {
    const first = bytes[at + 1] ?? 0;
    const more = first < 128 ? 0 : Math.min(first - 128, 4);
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    return { start: at + 2 + more, end: at + 2 + more + length };
  };
  const sequence = bytes.findIndex(
    (byte, at) => byte === 0x30 && at + 6 < bytes.length && read(at).end === bytes.length,
  );
  assert.ok(sequence >= 0);
  const tags: number[] = [];
  for (let at = read(sequence).start; at < bytes.length; at = read(at).end)
    tags.push(bytes[at] ?? 0);
  return tags;
}
