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
  /** Whether an OPT record (EDNS, RFC 6891) came along, and so belongs into the answer. */
  readonly edns: boolean;
}

/** A message that gets an answer without records; `code` is the RCODE. */
export interface BadQuestion {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly code: "FORMERR" | "NOTIMP" | "REFUSED";
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
  if (message.readUInt16BE(at + 2) !== CLASS_IN) return bad("REFUSED");
  const end = at + 4;
  const edns = counts[3] === 1;
  if (edns ? !isOpt(message, end) : end !== message.length) return bad("FORMERR");
  // A dot or an odd byte inside a label can't be part of a granted name; it must not become one by joining.
  const name = labels.every((label) => /^[a-z0-9_-]+$/i.test(label))
    ? labels.join(".").toLowerCase()
    : "\uFFFD";
  return { id, recursionDesired, name, type, bytes: message.subarray(12, end), edns };
}

/** Exactly one OPT record up to the end of the message; what it asks for changes nothing here. */
function isOpt(message: Buffer, at: number): boolean {
  return (
    at + 11 <= message.length &&
    message[at] === 0 &&
    message.readUInt16BE(at + 1) === TYPE_OPT &&
    at + 11 + message.readUInt16BE(at + 9) === message.length
  );
}
