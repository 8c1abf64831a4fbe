import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import * as fc from "fast-check";
import { parseClientHello } from "./parseClientHello.ts";

/** What OpenSSL sends first. */
async function realHello(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = tls.connect({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    ...options,
  });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => undefined);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same handshake cut into records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

test("parseClientHello() reads the server name of a real ClientHello, whole or cut into records", async () => {
  const hello = await realHello({ servername: "API.Example.test" });
  assert.deepEqual(parseClientHello(hello), {
    hello: { serverName: "api.example.test", encrypted: false },
  });
  assert.deepEqual(parseClientHello(inRecords(hello, 100)), {
    hello: { serverName: "api.example.test", encrypted: false },
  });
  for (let length = 0; length < hello.length; length += 1) {
    assert.deepEqual(parseClientHello(hello.subarray(0, length)), { fault: "more" });
  }
  const cut = inRecords(hello, 100);
  for (let length = 0; length < cut.length; length += 1)
    assert.deepEqual(parseClientHello(cut.subarray(0, length)), { fault: "more" });
});

test("parseClientHello() finds no name where none was sent", async () => {
  assert.deepEqual(parseClientHello(await realHello({ servername: "" })), {
    hello: { serverName: undefined, encrypted: false },
  });
});

test("parseClientHello() tells other protocols from TLS", () => {
  assert.deepEqual(parseClientHello(Buffer.from("GET / HTTP/1.1\r\n")), { fault: "not-tls" });
  assert.deepEqual(parseClientHello(Buffer.from([0x80, 0x2e, 1, 3, 1])), { fault: "not-tls" });
});

test("parseClientHello() refuses a flood of tiny records and a name with odd bytes", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  assert.deepEqual(parseClientHello(inRecords(hello, 1)), { fault: "invalid" });
  const at = hello.indexOf("api.example.test");
  for (const byte of [0, 0x2f, 0x20, 0xe4]) {
    const odd = Buffer.from(hello);
    odd[at + 3] = byte;
    assert.deepEqual(parseClientHello(odd), { fault: "invalid" });
  }
});

/** A ClientHello with one more extension at its end. */
function withExtension(hello: Buffer, extension: Buffer): Buffer {
  const longer = Buffer.concat([hello, extension]);
  longer.writeUInt16BE(longer.length - 5, 3);
  longer.writeUIntBE(longer.length - 9, 6, 3);
  // The extensions' own length stands after session id, suites and compression.
  let at = 9 + 34;
  at += 1 + (hello[at] ?? 0);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] ?? 0);
  longer.writeUInt16BE(hello.readUInt16BE(at) + extension.length, at);
  return longer;
}

test("parseClientHello() refuses a second server name extension", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  const name = hello.subarray(
    hello.indexOf("api.example.test") - 9,
    hello.indexOf("api.example.test") + 16,
  );
  assert.equal(name.readUInt16BE(0), 0);
  assert.deepEqual(parseClientHello(withExtension(hello, name)), { fault: "invalid" });
});

test("parseClientHello() tells that another ClientHello may be sealed inside", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  const sealed = Buffer.alloc(4 + 200);
  sealed.writeUInt16BE(200, 2);
  for (const [type, encrypted] of [
    [0xfe0d, true],
    [0xfe0a, true],
    [0xffce, true],
    [0x0a0a, false],
  ] as const) {
    sealed.writeUInt16BE(type, 0);
    assert.deepEqual(parseClientHello(withExtension(hello, sealed)), {
      hello: { serverName: "api.example.test", encrypted },
    });
  }
});

test("parseClientHello() never throws, whatever it is given", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      parseClientHello(Buffer.from(bytes));
      parseClientHello(Buffer.concat([Buffer.from([22, 3, 1]), bytes]));
    }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: hello.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
      (at, byte) => {
        const changed = Buffer.from(hello);
        changed[at] = byte;
        parseClientHello(changed);
      },
    ),
  );
});
