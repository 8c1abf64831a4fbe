import ipaddr from "ipaddr.js";
import { parseQuestion, type BadQuestion, type Question } from "./parseQuestion.ts";

/** What the answers are made from: addresses by lower-case name. */
export type Names = Pick<
  ReadonlyMap<string, { readonly v4?: string; readonly v6?: string }>,
  "get"
>;

export interface Answer {
  readonly bytes: Buffer;
  /** The name, when it was one that nobody granted. */
  readonly ungranted?: string;
}

const RCODE = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
const TYPE_A = 1;
const TYPE_AAAA = 28;
const TTL_SECONDS = 300;
/** What is said to fit into one UDP datagram; no answer here comes near it. */
const UDP_SIZE = 1232;

/**
 * Answers a DNS message from the granted names alone: no question is ever passed on, so a name can
 * carry nothing out. A granted name has its addresses, and no records of other types; any other
 * name does not exist.
 *
 * @returns `undefined` when the message deserves no answer.
 */
export function answer(message: Buffer, names: Names): Answer | undefined {
  const question = parseQuestion(message);
  if (question === undefined) return undefined;
  if ("code" in question) return { bytes: header(question, RCODE[question.code], 0, 0, 0) };
  const granted = names.get(question.name);
  if (granted === undefined)
    return { bytes: build(question, RCODE.NXDOMAIN, []), ungranted: question.name };
  const address =
    question.type === TYPE_A ? granted.v4 : question.type === TYPE_AAAA ? granted.v6 : undefined;
  return {
    bytes: build(
      question,
      RCODE.NOERROR,
      address === undefined ? [] : [Buffer.from(ipaddr.parse(address).toByteArray())],
    ),
  };
}

function build(question: Question, rcode: number, addresses: readonly Buffer[]): Buffer {
  const records = addresses.map((data) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the question's name, by pointer
    record.writeUInt16BE(question.type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL_SECONDS, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  const opt = Buffer.from([0, 0, 41, UDP_SIZE >> 8, UDP_SIZE & 0xff, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([
    header(question, rcode, 1, records.length, question.edns ? 1 : 0),
    question.bytes,
    ...records,
    ...(question.edns ? [opt] : []),
  ]);
}

function header(
  to: Question | BadQuestion,
  rcode: number,
  questions: number,
  answers: number,
  additional: number,
): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(to.id, 0);
  // QR, AA, RD as asked, RA: stub resolvers complain about servers that don't recurse.
  bytes.writeUInt16BE(0x8480 | (to.recursionDesired ? 0x0100 : 0) | rcode, 2);
  bytes.writeUInt16BE(questions, 4);
  bytes.writeUInt16BE(answers, 6);
  bytes.writeUInt16BE(additional, 10);
  return bytes;
}
