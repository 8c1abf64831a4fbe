import type { SeenAnswer } from "../readAnswers.ts";
import { FLAG, TYPE } from "./frames.ts";

/** The static table's statuses (RFC 7541 appendix A). */
const STATUSES: Readonly<Record<number, number>> = {
  8: 200,
  9: 204,
  10: 206,
  11: 304,
  12: 400,
  13: 404,
  14: 500,
};

interface Stream {
  status: number;
  body: string;
  ended: boolean;
  reset: boolean;
}

/** What a client of HTTP/2 was answered, stream by stream; it must have allowed no dynamic table (`START`). */
export function readH2(bytes: Buffer): SeenAnswer[] {
  const streams = new Map<number, Stream>();
  let goaway = false;
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const type = bytes[at + 3] ?? 0;
    const flags = bytes[at + 4] ?? 0;
    const id = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    const payload = bytes.subarray(at + 9, at + 9 + length);
    at += 9 + length;
    if (type === TYPE.GOAWAY) goaway = goaway || payload.readUInt32BE(4) !== 0;
    if (id === 0) continue;
    const stream = streams.get(id) ?? { status: 0, body: "", ended: false, reset: false };
    streams.set(id, stream);
    if (type === TYPE.HEADERS) {
      const status = statusOf(payload);
      if (status >= 200) stream.status = status;
    } else if (type === TYPE.DATA) stream.body += payload.toString("latin1");
    else if (type === TYPE.RST_STREAM) stream.reset = true;
    if ((type === TYPE.HEADERS || type === TYPE.DATA) && (flags & FLAG.END_STREAM) !== 0)
      stream.ended = true;
  }
  const answers = [...streams.values()].map(({ status, body, ended, reset }) => ({
    // A stream that was reset before any status is refused in HTTP/2's own words.
    status: status === 0 && reset ? 400 : status,
    body,
    whole: ended || (status === 0 && reset),
  }));
  // So is a connection.
  if (goaway && answers.every(({ whole }) => !whole))
    return [{ status: 400, body: "", whole: true }];
  return answers.filter(({ status }) => status > 0);
}

/** The first field of a block is `:status` (RFC 9113 section 8.3.2), indexed or a literal. */
function statusOf(payload: Buffer): number {
  let at = 0;
  // A change of the dynamic table's size may come before it.
  while (((payload[at] ?? 0) & 0xe0) === 0x20) at += 1;
  const first = payload[at] ?? 0;
  if ((first & 0x80) !== 0) return STATUSES[first & 0x7f] ?? 0;
  const length = payload[at + 1] ?? 0;
  const value = payload.subarray(at + 2, at + 2 + (length & 0x7f));
  return (length & 0x80) === 0 ? Number(value.toString("latin1")) : digits(value);
}

/** Digits in the Huffman code (RFC 7541 appendix B): 0 to 2 have five bits, 3 to 9 six. */
function digits(bytes: Buffer): number {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  let out = "";
  for (let at = 0; out.length < 3 && at + 5 <= bits.length;) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    if (five <= 2) {
      out += String(five);
      at += 5;
    } else {
      const six = Number.parseInt(bits.slice(at, at + 6), 2);
      if (six < 0x19 || six > 0x1f) return 0;
      out += String(six - 0x19 + 3);
      at += 6;
    }
  }
  return Number(out);
}
