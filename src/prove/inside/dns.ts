import { readFileSync } from "node:fs";
import { exchange } from "./sockets.ts";

/** Types of records (RFC 1035 section 3.2.2). */
export const RECORD = { A: 1, TXT: 16 } as const;

/** One question as RFC 1035 section 4 has it. */
export function question(name: string, type: number): Buffer {
  const labels = name
    .split(".")
    .flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  const head = Buffer.from([0x5e, 0xa1, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

/** What an answer says: its code (0 no error, 3 no such name, 5 refused) and how many records it has. */
export function readAnswer(bytes: Uint8Array): { readonly code: number; readonly records: number } {
  const view = Buffer.from(bytes);
  if (view.length < 12) return { code: -1, records: 0 };
  return { code: view.readUInt8(3) & 0x0f, records: view.readUInt16BE(6) };
}

/** The servers that /etc/resolv.conf names. */
export function nameServers(): string[] {
  try {
    const text = readFileSync("/etc/resolv.conf", "utf8");
    return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "");
  } catch {
    return [];
  }
}

/** Asks over TCP (RFC 1035 section 4.2.2): the answer without its length. */
export async function askOverTcp(
  address: string,
  asked: Uint8Array,
): Promise<{ readonly reply?: Buffer; readonly error?: string }> {
  const length = Buffer.from([asked.length >> 8, asked.length & 0xff]);
  const said = Buffer.concat([length, asked]);
  const { reply, error } = await exchange({ host: address, port: 53 }, said);
  if (reply.length > 2) return { reply: Buffer.from(reply, "latin1").subarray(2) };
  return { error: error ?? "no answer" };
}
