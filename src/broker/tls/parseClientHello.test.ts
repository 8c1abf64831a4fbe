import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { realHello, withExtension } from "../testing/clientHello.ts";
import { parseClientHello } from "./parseClientHello.ts";

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

test("parseClientHello() refuses a second server name extension", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  const name = hello.subarray(
    hello.indexOf("api.example.test") - 9,
    hello.indexOf("api.example.test") + 16,
  );
  assert.equal(name.readUInt16BE(0), 0);
  assert.deepEqual(parseClientHello(withExtension(hello, 0, name.subarray(4))), {
    fault: "invalid",
  });
});

test("parseClientHello() tells that another ClientHello may be sealed inside", async () => {
  const hello = await realHello({ servername: "api.example.test" });
  for (const [type, encrypted] of [
    [0xfe0d, true],
    [0xfe0a, true],
    [0xffce, true],
    [0x0a0a, false],
  ] as const) {
    assert.deepEqual(parseClientHello(withExtension(hello, type, Buffer.alloc(200))), {
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
