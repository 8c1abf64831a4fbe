import dgram from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { question } from "./dnsBytes.ts";
import type { DnsCase } from "./Case.ts";
import type { DnsAddress, Target } from "./Target.ts";

/** How long an answer is waited for when there should be none: a plain question behind it says when that is over. */
const LONGEST_MS = 10_000;

/** Sends a case's messages, a plain question after them, and judges the answers. */
export async function askDns(
  target: Target,
  each: DnsCase,
): Promise<{ faults: string[]; told: string }> {
  const { dns } = target;
  if (dns === undefined) throw new Error("the target has no DNS");
  const asked = each.messages.reduce((sum, message) => sum + message.length, 0);
  const answers =
    each.over === "udp" ? await overUdp(dns, each.messages) : await overTcp(dns, each.messages);
  const faults: string[] = [];
  if (answers.plain === undefined) faults.push("a plain question afterwards was not answered");
  const rcodes = answers.others.map((bytes) => (bytes[3] ?? 0) & 15);
  for (const [index, bytes] of answers.others.entries()) {
    const rcode = rcodes[index] ?? 0;
    const records = bytes.length >= 8 ? bytes.readUInt16BE(6) : 0;
    if (bytes.length < 12 || (bytes.readUInt16BE(2) & 0x8000) === 0)
      faults.push("an answer that is none");
    if (!each.rcodes.includes(rcode)) faults.push(`an answer with RCODE ${rcode}`);
    if (records > (each.mostRecords ?? 0)) faults.push(`an answer with ${records} records`);
  }
  const told = answers.others.reduce((sum, bytes) => sum + bytes.length, 0);
  if (told > asked * (each.mostAmplified ?? 4))
    faults.push(`${told} bytes of answer to ${asked} of question`);
  return {
    faults,
    told: rcodes.length === 0 ? "silence" : `rcode ${[...new Set(rcodes)].join(", ")}`,
  };
}

interface Answers {
  readonly others: readonly Buffer[];
  readonly plain: Buffer | undefined;
}

const PLAIN_ID = 0xbeef;

async function overUdp(dns: DnsAddress, messages: readonly Buffer[]): Promise<Answers> {
  const socket = dgram.createSocket("udp4");
  const others: Buffer[] = [];
  let plain: Buffer | undefined;
  const done = new Promise<void>((resolve) => {
    socket.on("message", (bytes) => {
      if (bytes.length >= 2 && bytes.readUInt16BE(0) === PLAIN_ID) {
        plain = bytes;
        resolve();
      } else others.push(bytes);
    });
    setTimeout(resolve, LONGEST_MS).unref();
  });
  // A datagram may be lost when many come at once: the plain question is asked until it is answered.
  const send = (message: Buffer): Promise<void> =>
    new Promise((resolve) => socket.send(message, dns.udpPort, dns.address, () => resolve()));
  for (const message of messages) await send(message);
  const again = setInterval(() => void send(question(dns.granted, { id: PLAIN_ID })), 200);
  await send(question(dns.granted, { id: PLAIN_ID }));
  await done;
  clearInterval(again);
  socket.close();
  return { others, plain };
}

async function overTcp(dns: DnsAddress, messages: readonly Buffer[]): Promise<Answers> {
  const others = await conversation(dns, messages);
  const asked = question(dns.granted, { id: PLAIN_ID });
  const [plain] = await conversation(dns, [Buffer.concat([Buffer.from([0, asked.length]), asked])]);
  return { others, plain };
}

/** Everything that one connection answers until it ends, or until nothing more can come. */
async function conversation(dns: DnsAddress, messages: readonly Buffer[]): Promise<Buffer[]> {
  const socket = net.connect(dns.tcpPort, dns.address);
  socket.on("error", () => undefined);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  const timer = setTimeout(() => socket.destroy(), LONGEST_MS + 5000);
  for (const message of messages) socket.write(message);
  socket.end();
  await once(socket, "close").catch(() => undefined);
  clearTimeout(timer);
  const bytes = Buffer.concat(chunks);
  const out: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes.readUInt16BE(at);
    out.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return out;
}
