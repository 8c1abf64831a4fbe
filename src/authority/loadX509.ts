import type { webcrypto } from "node:crypto";
import type * as X509 from "@peculiar/x509";

/**
 * The certificate library, loaded when a certificate is made and not before: it and the polyfill it
 * insists on take 23 MB (measured), which a process that only reads certificates needn't have.
 */
export async function loadX509(): Promise<typeof X509> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** ECDSA on P-256 with SHA-256: what every TLS client accepts (RFC 8446 section 9.1). */
export const SIGNING = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A positive serial of 127 random bits (RFC 5280 section 4.1.2.2: positive, at most 20 octets). */
export function randomSerial(): string {
  const bytes = crypto.getRandomValues(Buffer.alloc(16));
  // The leading bits 01 keep it positive and of one length.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

/** A private key as PKCS#8 PEM. */
export async function printPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", key));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  der.fill(0);
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
