import { createCipheriv, diffieHellman, generateKeyPairSync, type KeyObject } from "node:crypto";
import { openChunk } from "./age/unwrapFileKey.ts";
import { hkdf, rawX25519Public, x25519Bytes } from "./age/x25519.ts";

const INFO = "seawall store process v1";

/** One receiver's keys, for one request. */
export interface SealKeys {
  readonly privateKey: KeyObject;
  /** Raw, base64. */
  readonly publicKey: string;
}

export function makeSealKeys(): SealKeys {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicKey: x25519Bytes(publicKey).toString("base64") };
}

/**
 * Encrypts a value so that only the holder of the key pair can read it: an ephemeral X25519 share
 * (RFC 7748), HKDF-SHA-256 over both public keys, ChaCha20-Poly1305. Every value has a key of its
 * own, so the nonce is zero. `value` is wiped.
 */
export function seal(value: Buffer, publicKey: string): string {
  const receiver = Buffer.from(publicKey, "base64");
  const own = generateKeyPairSync("x25519");
  const share = x25519Bytes(own.publicKey);
  const shared = diffieHellman({
    privateKey: own.privateKey,
    publicKey: rawX25519Public(receiver),
  });
  const key = hkdf(shared, Buffer.concat([share, receiver]), INFO);
  const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 });
  const text = Buffer.concat([cipher.update(value), cipher.final()]);
  for (const used of [value, shared, key]) used.fill(0);
  return Buffer.concat([share, text, cipher.getAuthTag()]).toString("base64");
}

/** What `seal` sealed to these keys; undefined when it was sealed to others or altered. */
export function unseal(sealed: string, keys: SealKeys): Buffer | undefined {
  const bytes = Buffer.from(sealed, "base64");
  if (bytes.length < 32 + 16) return undefined;
  const share = bytes.subarray(0, 32);
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey: keys.privateKey, publicKey: rawX25519Public(share) });
  } catch {
    return undefined;
  }
  const receiver = Buffer.from(keys.publicKey, "base64");
  const key = hkdf(shared, Buffer.concat([share, receiver]), INFO);
  const value = openChunk(key, Buffer.alloc(12), bytes.subarray(32));
  for (const used of [shared, key]) used.fill(0);
  return value;
}
