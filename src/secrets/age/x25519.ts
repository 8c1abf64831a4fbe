import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from "node:crypto";

/** PKCS#8 and SubjectPublicKeyInfo headers of X25519 keys (RFC 8410); the 32 key bytes follow. */
const PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI = Buffer.from("302a300506032b656e032100", "hex");

/** @param raw 32 bytes; wiped. */
export function rawX25519Private(raw: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8, raw]);
  raw.fill(0);
  try {
    return createPrivateKey({ key, format: "der", type: "pkcs8" });
  } finally {
    key.fill(0);
  }
}

export function rawX25519Public(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, raw]), format: "der", type: "spki" });
}

/** The 32 bytes of a public key. */
export function x25519Bytes(key: KeyObject): Buffer {
  return key.export({ format: "der", type: "spki" }).subarray(-32);
}

/** HKDF-SHA-256 to 32 bytes (RFC 5869). */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, 32));
}
