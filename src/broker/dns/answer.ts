import { addressBytes } from "../parseAddress.ts";
import { parseQuestion, type BadQuestion, type Question } from "./parseQuestion.ts";

/** What the answers are made from: addresses by lower-case name. */
export type Names = Pick<
  ReadonlyMap<string, { readonly v4?: string; readonly v6?: string }>,
  "get" | "keys"
>;

export interface Answer {
  readonly bytes: Buffer;
  /** The name, when it was one that nobody granted. */
  readonly ungranted?: string;
}

const RCODE = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;
const TYPE_A = 1;
const TYPE_SOA = 6;
const TYPE_AAAA = 28;
const TYPE_OPT = 41;
/** QTYPEs and meta types (RFC 6895 section 3.1): transfers, ANY, signatures. */
const FIRST_META = 128;
const LAST_META = 255;
const TTL_SECONDS = 300;
/** Long enough for the questions of one connection, short enough for a grant that comes while the bot runs. */
const NEGATIVE_TTL_SECONDS = 5;
/** What is said to fit into one UDP datagram; no answer here comes near it, nor near 512. */
const UDP_SIZE = 1232;

/**
 * Answers a DNS message from the granted names alone: no question is ever passed on, so a name can
 * carry nothing out. A granted name has its addresses and no records of other types: HTTPS and SVCB
 * (RFC 9460), which could offer other ports, HTTP/3 or keys for hidden server names, are said not to be
 * there, so that clients go by the address. A name above a granted one is there too, without records
 * (RFC 8020); any other does not exist. Both kinds of no carry an SOA of the root for caches
 * (RFC 2308 section 3). What asks for more than one record type is refused (RFC 8482 for ANY).
 *
 * @returns at most 512 bytes (RFC 1035 section 4.2.1), or `undefined` when the message deserves no answer.
 */
export function answer(message: Buffer, names: Names): Answer | undefined {
  const question = parseQuestion(message);
  if (question === undefined) return undefined;
  if ("code" in question) return { bytes: bad(question) };
  const granted = names.get(question.name);
  const told = granted === undefined && question.name !== "" ? { ungranted: question.name } : {};
  const { type, version = 0 } = question;
  if (version !== 0) return { bytes: build(question, RCODE.BADVERS, undefined), ...told };
  if (type === 0 || type === TYPE_OPT || (type >= FIRST_META && type <= LAST_META))
    return { bytes: build(question, RCODE.REFUSED, undefined), ...told };
  if (granted === undefined) {
    const exists = question.name === "" || isAbove(question.name, names);
    return { bytes: build(question, exists ? RCODE.NOERROR : RCODE.NXDOMAIN, NOTHING), ...told };
  }
  const address = type === TYPE_A ? granted.v4 : type === TYPE_AAAA ? granted.v6 : undefined;
  return { bytes: build(question, RCODE.NOERROR, address ?? NOTHING) };
}

function isAbove(name: string, names: Names): boolean {
  const suffix = `.${name}`;
  for (const each of names.keys()) if (each.endsWith(suffix)) return true;
  return false;
}

const NOTHING = Symbol("no record, said for certain");

/** @param found an address, nothing for certain, or, where nothing is said about the name, `undefined`. */
function build(
  question: Question,
  rcode: number,
  found: string | typeof NOTHING | undefined,
): Buffer {
  const sections = found === undefined ? [0, 0] : found === NOTHING ? [0, 1] : [1, 0];
  return Buffer.concat([
    header(question, rcode & 0xf, [1, ...sections, question.version === undefined ? 0 : 1]),
    question.bytes,
    ...(found === undefined ? [] : [found === NOTHING ? SOA : addressRecord(question, found)]),
    ...(question.version === undefined ? [] : [opt(rcode >> 4)]),
  ]);
}

function bad(question: BadQuestion): Buffer {
  const { echo } = question;
  return Buffer.concat([
    header(question, RCODE[question.code], [echo === undefined ? 0 : 1, 0, 0, 0]),
    ...(echo === undefined ? [] : [echo]),
  ]);
}

function addressRecord(question: Question, address: string): Buffer {
  const data = Buffer.from(addressBytes(address));
  const record = Buffer.alloc(12);
  record.writeUInt16BE(0xc00c, 0); // the question's name, by pointer
  record.writeUInt16BE(question.type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([record, data]);
}

/** The root's, so that it stands above every name; its own names end in `invalid` (RFC 6761). */
const SOA = soa();

function soa(): Buffer {
  const name = Buffer.from("\u0007seawall\u0007invalid\0", "latin1");
  const numbers = Buffer.alloc(20);
  for (const [index, value] of [1, 3600, 600, 86_400, NEGATIVE_TTL_SECONDS].entries())
    numbers.writeUInt32BE(value, 4 * index);
  const data = Buffer.concat([name, name, numbers]);
  const record = Buffer.alloc(11);
  record.writeUInt16BE(TYPE_SOA, 1);
  record.writeUInt16BE(1, 3);
  record.writeUInt32BE(NEGATIVE_TTL_SECONDS, 5);
  record.writeUInt16BE(data.length, 9);
  return Buffer.concat([record, data]);
}

/** RFC 6891 section 6.1.3: version 0, and the upper bits of the RCODE. */
function opt(extended: number): Buffer {
  return Buffer.from([0, 0, TYPE_OPT, UDP_SIZE >> 8, UDP_SIZE & 0xff, extended, 0, 0, 0, 0, 0]);
}

function header(to: Question | BadQuestion, rcode: number, counts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(to.id, 0);
  // QR, AA, RD as asked, RA: stub resolvers complain about servers that don't recurse.
  bytes.writeUInt16BE(0x8480 | (to.recursionDesired ? 0x0100 : 0) | rcode, 2);
  for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index);
  return bytes;
}
