import { createPrivateKey, sign, type KeyObject } from "node:crypto";

/** NIST SP 800-131A: shorter RSA keys may not sign. */
const LEAST_BITS = 2048;
/** Google's and GitHub's keys have 2048; more than this only costs time, on the one thread that serves all bots. */
const MOST_BITS = 8192;

/**
 * An RSA key for `signJwt`, PKCS #8 or PKCS #1, not encrypted.
 *
 * @returns in plain words what is wrong with it, where it can't serve. OpenSSL's errors may tell
 * something of what they are about, so none is passed on.
 */
export function readRsaKey(pem: string): KeyObject | { readonly wrong: string } {
  if (!/^-----BEGIN (?:RSA )?PRIVATE KEY-----\r?\n/.test(pem))
    return { wrong: "is not a private key in PEM" };
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return { wrong: "is a private key that can't be read" };
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa") return { wrong: "is a key of another kind than RSA" };
  if (bits < LEAST_BITS || bits > MOST_BITS)
    return { wrong: `is an RSA key of less than ${LEAST_BITS} or more than ${MOST_BITS} bits` };
  return key;
}

/**
 * A JSON Web Signature in compact form (RFC 7515 section 7.1) by RS256 (RFC 7518 section 3.3), the one
 * algorithm that Google and GitHub take. jose would do the same in 14 MB of memory (measured: jose
 * 6.2, Node 24.21), a fifth of the broker's; so it only checks this, in the tests.
 */
export function signJwt(
  key: KeyObject,
  claims: Readonly<Record<string, string | number>>,
  header: Readonly<Record<string, string>> = {},
): string {
  const signed = [{ alg: "RS256", typ: "JWT", ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}
