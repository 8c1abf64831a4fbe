/** A question, with what an answer has to repeat. */
export interface Question {
  readonly id: number;
  /** Recursion desired: copied into the answer. */
  readonly recursionDesired: boolean;
  /** Labels in lower case joined by dots, without the final one; empty for the root. */
  readonly name: string;
  readonly type: number;
  /** Name, type and class as sent: repeating the case is what resolvers with 0x20 check. */
  readonly bytes: Buffer;
  /** Of EDNS (RFC 6891), when an OPT record came along, and so belongs into the answer. */
  readonly version: number | undefined;
}

/** A message that gets an answer without records; `code` is the RCODE. */
export interface BadQuestion {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly code: "FORMERR" | "NOTIMP" | "REFUSED";
  /** The question, where it could be read: resolvers take no answer without it for theirs. */
  readonly echo?: Buffer;
}

const CLASS_IN = 1;
const TYPE_OPT = 41;

/**
 * Reads a query strictly (RFC 1035 section 4.1): one question of class IN, no compression in it, at most
 * 255 octets of name, nothing besides it but one OPT record. Never throws.
 *
 * @returns `undefined` for what deserves no answer: shorter than a header, or itself an answer.
 */
export function parseQuestion(message: Buffer): Question | BadQuestion | undefined {
  if (message.length < 12) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0) return undefined;
  const recursionDesired = (flags & 0x0100) !== 0;
  const bad = (code: BadQuestion["code"]): BadQuestion => ({ id, recursionDesired, code });
  if (((flags >> 11) & 0xf) !== 0) return bad("NOTIMP");
  // A query that says of itself that it was cut short.
  if ((flags & 0x0200) !== 0) return bad("FORMERR");
  const counts = [4, 6, 8, 10].map((at) => message.readUInt16BE(at));
  if (counts[0] !== 1 || counts[1] !== 0 || counts[2] !== 0 || (counts[3] ?? 0) > 1)
    return bad("FORMERR");

  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = message[at];
    // Above 63 are compression pointers and reserved forms.
    if (length === undefined || length > 63 || at + 1 + length > message.length)
      return bad("FORMERR");
    at += 1;
    if (length === 0) break;
    labels.push(message.toString("latin1", at, at + length));
    at += length;
    if (at - 12 > 254) return bad("FORMERR");
  }
  if (at + 4 > message.length) return bad("FORMERR");
  const type = message.readUInt16BE(at);
  const end = at + 4;
  const version = counts[3] === 1 ? ednsVersion(message, end) : undefined;
  if (counts[3] === 1 ? version === undefined : end !== message.length) return bad("FORMERR");
  const bytes = message.subarray(12, end);
  if (message.readUInt16BE(at + 2) !== CLASS_IN) return { ...bad("REFUSED"), echo: bytes };
  // A dot or an odd byte inside a label can't be part of a granted name; it must not become one by joining.
  const name = labels.every((label) => /^[a-z0-9_-]+$/i.test(label))
    ? labels.join(".").toLowerCase()
    : "\uFFFD";
  return { id, recursionDesired, name, type, bytes, version };
}

/**
 * The version, where exactly one OPT record goes up to the end of the message. What its options ask for
 * (cookies, a client's subnet, padding) changes nothing here.
 */
function ednsVersion(message: Buffer, at: number): number | undefined {
  const whole =
    at + 11 <= message.length &&
    message[at] === 0 &&
    message.readUInt16BE(at + 1) === TYPE_OPT &&
    at + 11 + message.readUInt16BE(at + 9) === message.length;
  return whole ? message[at + 6] : undefined;
}
