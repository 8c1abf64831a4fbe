import { createHmac } from "node:crypto";
import type { PhantomAlphabet, PhantomShape } from "./Plan.ts";

const ALPHABETS: Record<PhantomAlphabet, string> = {
  digits: "0123456789",
  hex: "0123456789abcdef",
  base32: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
  alphanumeric: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  base64url: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/**
 * Derives the phantom of one bot's grant: the same inputs give the same phantom, so it is stable
 * across restarts, and without `key` it can't be guessed or computed from another bot's.
 *
 * @param key the deployment's phantom key, 32 random bytes that never enter a wall.
 * @returns a token of the shape's length and alphabet.
 */
export function derivePhantom(
  shape: PhantomShape,
  key: Uint8Array,
  identity: { readonly bot: string; readonly grant: string },
): string {
  const next = byteStream(key, JSON.stringify(["seawall phantom 1", identity.bot, identity.grant]));
  return shape
    .map((part) => ("text" in part ? part.text : pick(ALPHABETS[part.alphabet], part.length, next)))
    .join("");
}

/** Draws characters without modulo bias: bytes past the largest multiple are skipped. */
function pick(alphabet: string, length: number, next: () => number): string {
  const limit = 256 - (256 % alphabet.length);
  let out = "";
  while (out.length < length) {
    const byte = next();
    if (byte < limit) out += alphabet.charAt(byte % alphabet.length);
  }
  return out;
}

/** HMAC-SHA-256 in counter mode. */
function byteStream(key: Uint8Array, label: string): () => number {
  let block = Buffer.alloc(0);
  let counter = 0;
  let offset = 0;
  return () => {
    if (offset === block.length) {
      block = createHmac("sha256", key).update(`${label}\n${counter++}`).digest();
      offset = 0;
    }
    return block.readUInt8(offset++);
  };
}
