import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SecretValue } from "../../secrets/SecretValue.ts";
import { GrpcReplacer } from "./GrpcReplacer.ts";
import { Redactor } from "./Redactor.ts";

const SECRET = "sk-real-0123456789";

function framed(text: string, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text, "latin1")]);
}

function inChunks(stream: Pick<GrpcReplacer, "push" | "end">, bytes: Buffer, size: number): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    out.push(stream.push(bytes.subarray(at, at + size)));
  out.push(stream.end());
  return Buffer.concat(out);
}

for (const [what, phantom] of [
  ["of the secret's length", "sk-fake-9876543210"],
  ["of another length", "sk-fake"],
] as const) {
  test(`GrpcReplacer puts a phantom ${what} into messages whose lengths stay true`, () => {
    const redactor = new Redactor(new SecretValue(SECRET), phantom);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("", "a", SECRET, `x${SECRET}y`, `${SECRET}${SECRET}`, "sk-real-")),
        fc.integer({ min: 1, max: 30 }),
        (texts, size) => {
          const stream = redactor.stream("application/grpc+proto");
          assert.ok(stream instanceof GrpcReplacer);
          const bytes = Buffer.concat([
            ...texts.map((text) => framed(text)),
            framed("grpc-status:0", 0x80),
          ]);
          const wanted = [
            ...texts.map((text) => framed(text.replaceAll(SECRET, phantom))),
            framed("grpc-status:0", 0x80),
          ];
          assert.equal(
            inChunks(stream, bytes, size).toString("latin1"),
            Buffer.concat(wanted).toString("latin1"),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test(`GrpcReplacer with a phantom ${what} lets a message leave as soon as it is complete`, () => {
    const stream = new Redactor(new SecretValue(SECRET), phantom).stream("application/grpc");
    assert.equal(stream.push(framed("sk-real-")).toString(), framed("sk-real-").toString());
  });
}

test("GrpcReplacer refuses what it can't search or isn't framed", () => {
  const redactor = new Redactor(new SecretValue(SECRET), SECRET.replaceAll(/\d/g, "0"));
  const stream = (): ReturnType<Redactor["stream"]> => redactor.stream("application/grpc");
  assert.throws(() => stream().push(framed("packed", 1)));
  assert.throws(() => stream().push(Buffer.from("hello there")));
  const cut = stream();
  cut.push(framed("hello").subarray(0, 7));
  assert.throws(() => cut.end());
  assert.ok(!(redactor.stream("application/grpcx") instanceof GrpcReplacer));
});
