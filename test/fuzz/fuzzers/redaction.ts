import assert from "node:assert/strict";
import { Redactor } from "../../../src/broker/redact/Redactor.ts";
import { SecretValue } from "../../../src/secrets/index.ts";
import type { Fuzzer } from "../Fuzzer.ts";

/** With what JSON, HTML, percent-encoding and base64 change in it. */
const SECRET = 'sk-R3al/"key"+<7>=aA&\\z';
const PHANTOM = "sk-ph4ntom-0123456789ab";
const redactor = new Redactor(new SecretValue(SECRET), PHANTOM);
const AROUND = "before and after it";

const SPELLED = [
  SECRET,
  JSON.stringify({ key: SECRET }),
  JSON.stringify(JSON.stringify({ key: SECRET })),
  encodeURIComponent(SECRET),
  Buffer.from(SECRET).toString("hex"),
  ...["", "x", "xy"].flatMap((prefix) => {
    const text = Buffer.from(prefix + SECRET + AROUND);
    return [text.toString("base64"), text.toString("base64url")];
  }),
];

/**
 * Base64 broken into lines that are not 64 or 76 columns wide is found only where both lines stand in one
 * chunk, since other lines may not wait for what follows them (docs/broker.md).
 */
const LINES = /[A-Za-z0-9+/_-](?:\r|\\r)?(?:\n|\\n)[A-Za-z0-9+/_-]/;

/** In pieces or as a whole, the same comes out; and the secret never does. */
export const redaction: Fuzzer = {
  name: "redaction",
  what: "a stream is redacted alike however it is cut, and the plain secret is never in what comes out",
  seeds: SPELLED.map((text) => Buffer.from(`${AROUND} ${text} ${AROUND}`)),
  words: [
    SECRET,
    SECRET.slice(0, 9),
    SECRET.slice(9),
    "\\u0073",
    "\\",
    "%73",
    "%",
    "&#x73;",
    "&",
    "=",
    ...SPELLED.slice(3, 6),
  ],
  check(bytes, random) {
    const whole = redact([bytes]);
    const pieces = redact(random.pieces(bytes));
    assert.ok(
      whole.equals(pieces) || LINES.test(bytes.toString("latin1")),
      `cut it is ${JSON.stringify(pieces.toString("latin1"))}, whole ${JSON.stringify(whole.toString("latin1"))}`,
    );
    for (const out of [whole, pieces]) assert.ok(!out.includes(SECRET), "the secret is in it");
  },
};

function redact(pieces: readonly Buffer[]): Buffer {
  const stream = redactor.stream();
  const out = pieces.map((piece) => Buffer.from(stream.push(Buffer.from(piece))));
  return Buffer.concat([...out, stream.end()]);
}
