import { createPublicKey, type KeyObject } from "node:crypto";
import { rawX25519Private, x25519Bytes } from "./x25519.ts";

const CHARSET = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
const PREFIX = "AGE-SECRET-KEY-";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;

/** An X25519 identity as OpenSSL keys: what is needed to open a file encrypted to it. */
export interface AgeIdentity {
  readonly privateKey: KeyObject;
  /** Raw public key, 32 bytes. */
  readonly publicKey: Uint8Array;
}

/**
 * Reads an `AGE-SECRET-KEY-1…` string (C2SP age.md, "X25519 recipient"; BIP 173 for Bech32).
 * Returns undefined when it is none, rather than throwing an error that might quote it.
 */
export function parseAgeIdentity(text: string): AgeIdentity | undefined {
  if (!text.startsWith(`${PREFIX}1`)) return undefined;
  const data: number[] = [];
  for (const letter of text.slice(PREFIX.length + 1)) {
    const index = CHARSET.indexOf(letter);
    if (index < 0) return undefined;
    data.push(index);
  }
  // 32 bytes are 52 groups of five bits; six more are the checksum.
  if (data.length !== 58 || !checksumHolds(data)) return undefined;
  const raw = Buffer.alloc(32);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const group of data.slice(0, -6)) {
    held = ((held << 5) | group) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    raw[at++] = (held >> bits) & 0xff;
  }
  if ((held & ((1 << bits) - 1)) !== 0) return undefined;
  const privateKey = rawX25519Private(raw);
  return { privateKey, publicKey: x25519Bytes(createPublicKey(privateKey)) };
}

function checksumHolds(data: readonly number[]): boolean {
  // Bech32 checks the lower-case form of the prefix.
  const codes = [...Buffer.from(PREFIX.toLowerCase())];
  const values = [...codes.map((c) => c >> 5), 0, ...codes.map((c) => c & 31), ...data];
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, part] of GENERATOR.entries()) if ((top >>> bit) & 1) sum ^= part;
  }
  return sum === 1;
}
