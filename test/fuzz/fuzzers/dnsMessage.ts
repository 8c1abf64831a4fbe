import assert from "node:assert/strict";
import { answer } from "../../../src/broker/dns/answer.ts";
import { framed, nameBytes, question } from "../../adversaries/dnsBytes.ts";
import type { Fuzzer } from "../Fuzzer.ts";

const NAMES = new Map([
  ["api.model.test", { v4: "198.18.0.1", v6: "fd00::1" }],
  ["x.y", { v4: "198.18.0.2" }],
]);
const OPT = Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);

/** Whatever is asked: no throw, one well-formed answer of bounded size, addresses for granted names alone. */
export const dnsMessage: Fuzzer = {
  name: "dns-message",
  what: "answer() never throws and gives addresses only for a granted name, in a well-formed message",
  seeds: [
    question("api.model.test"),
    question("api.model.test", { type: 28 }),
    question("api.model.test", { type: 65 }),
    question("API.Model.Test", { flags: 0 }),
    question("evil.test"),
    Buffer.concat([question("api.model.test", { counts: [1, 0, 0, 1] }), OPT]),
    framed(question("x.y")),
    Buffer.concat([question("x.y"), nameBytes("x.y")]),
  ],
  words: [
    "\x03api\x05model\x04test\x00",
    "\xc0\x0c",
    "\xc0\x00",
    "\x3f",
    "\x40",
    "\x00",
    "\x01y\x00",
    "\xff\xff",
    "\x00\x01",
    "\x00\x29",
    "\x80",
  ],
  check(bytes) {
    const reply = answer(bytes, NAMES);
    if (reply === undefined) return;
    const out = reply.bytes;
    assert.ok(out.length >= 12 && out.length <= 512, `${out.length} bytes`);
    assert.equal(out.readUInt16BE(0), bytes.readUInt16BE(0), "another id");
    assert.ok((out.readUInt16BE(2) & 0x8000) !== 0, "no answer");
    assert.ok((bytes.readUInt16BE(2) & 0x8000) === 0, "an answer to an answer");
    const rcode = out.readUInt16BE(2) & 15;
    const records = out.readUInt16BE(6);
    if (records === 0) return;
    assert.equal(rcode, 0);
    const name = nameOf(bytes);
    assert.ok(name !== undefined && NAMES.has(name), `an address for ${JSON.stringify(name)}`);
    assert.equal(bytes.readUInt16BE(4), 1);
  },
};

/** The first question's name, read without any care for what else there is. */
function nameOf(bytes: Buffer): string | undefined {
  const labels: string[] = [];
  for (let at = 12; ;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    if (length === 0) return labels.join(".").toLowerCase();
    labels.push(bytes.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
}
