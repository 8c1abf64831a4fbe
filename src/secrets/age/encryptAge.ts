import {
  constants,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  type KeyObject,
} from "node:crypto";
import type { Recipient } from "age-encryption";
import { SecretError } from "../SecretError.ts";
import type { SecretValue } from "../SecretValue.ts";
import { hkdf, rawX25519Private, rawX25519Public, x25519Bytes } from "./x25519.ts";
import { sealChunk } from "./sealChunk.ts";

const ED25519_LABEL = "age-encryption.org/v1/ssh-ed25519";
const RSA_LABEL = "age-encryption.org/v1/ssh-rsa";
const P = 2n ** 255n - 19n;

/** For whom a file is encrypted. */
export type AgeFor =
  { readonly recipients: readonly string[] } | { readonly passphrase: SecretValue };

/**
 * Encrypts for recipients as `age -r` takes them (`age1…`, `ssh-ed25519 …`, `ssh-rsa …`), or with a
 * passphrase. For programs that don't stay: age-encryption is large.
 *
 * @param text wiped.
 * @throws SecretError `unsupported` for a recipient of another kind
 */
export async function encryptAge(text: Uint8Array, whom: AgeFor): Promise<Uint8Array> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  try {
    if ("passphrase" in whom) encrypter.setPassphrase(whom.passphrase.revealSecret());
    else for (const recipient of whom.recipients) encrypter.addRecipient(await parse(recipient));
    return await encrypter.encrypt(text);
  } finally {
    text.fill(0);
  }
}

/** The recipients in a file as `age -R` takes it: one a line, `#` begins a comment. */
export function parseRecipients(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

async function parse(recipient: string): Promise<string | Recipient> {
  const [type = "", base64 = ""] = recipient.split(/\s+/);
  try {
    const wire = Buffer.from(base64, "base64");
    if (type === "ssh-ed25519") return sshEd25519(wire);
    if (type === "ssh-rsa") return sshRsa(wire);
    if (!type.startsWith("age1")) throw new TypeError("another kind");
    const { Encrypter } = await import("age-encryption");
    // Tried here, since its own error quotes what it was given, which may be a private key.
    new Encrypter().addRecipient(type);
    return type;
  } catch {
    throw new SecretError("unsupported", "one of the recipients is none that can be used", {
      hint: "use age1…, ssh-ed25519 or ssh-rsa public keys, one a line",
    });
  }
}

/** filippo.io/age/agessh, the other way round than SshIdentity.ts. */
function sshEd25519(wire: Buffer): Recipient {
  const [, point] = readWire(wire);
  if (point?.length !== 32) throw new RangeError("no Ed25519 key");
  const montgomery = toMontgomery(point);
  const tweak = hkdf(Buffer.alloc(0), wire, ED25519_LABEL);
  return {
    wrapFileKey: (fileKey) => {
      const own = generateKeyPairSync("x25519");
      const share = x25519Bytes(own.publicKey);
      const first = diffieHellman({
        privateKey: own.privateKey,
        publicKey: rawX25519Public(montgomery),
      });
      const shared = multiply(tweak, first);
      const key = hkdf(shared, Buffer.concat([share, montgomery]), ED25519_LABEL);
      const args = ["ssh-ed25519", tagOf(wire), share.toString("base64").replace(/=+$/, "")];
      return [{ args, body: sealChunk(key, Buffer.alloc(12), fileKey) }];
    },
  };
}

function sshRsa(wire: Buffer): Recipient {
  const [, e, n] = readWire(wire);
  if (e === undefined || n === undefined || n.length < 256) throw new RangeError("no RSA key");
  const key = createPublicKey({
    key: { kty: "RSA", e: e.toString("base64url"), n: n.toString("base64url") },
    format: "jwk",
  });
  return {
    wrapFileKey: (fileKey) => [
      {
        args: ["ssh-rsa", tagOf(wire)],
        body: publicEncrypt(
          {
            key,
            padding: constants.RSA_PKCS1_OAEP_PADDING,
            oaepHash: "sha256",
            oaepLabel: Buffer.from(RSA_LABEL),
          },
          fileKey,
        ),
      },
    ],
  };
}

/** The u coordinate of a point of Ed25519: (1 + y) / (1 - y) (RFC 7748 section 4.1). */
function toMontgomery(point: Buffer): Buffer {
  const y = BigInt(`0x${Buffer.from(point.toReversed()).toString("hex")}`) & (2n ** 255n - 1n);
  const u = mod((1n + y) * invert(mod(1n - y)));
  return Buffer.from(Buffer.from(u.toString(16).padStart(64, "0"), "hex").toReversed());
}

function mod(value: bigint): bigint {
  return ((value % P) + P) % P;
}

/** By Fermat; the public key is no secret, so its time may be anything. */
function invert(value: bigint): bigint {
  let result = 1n;
  let base = value;
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

function multiply(scalar: Buffer, point: Buffer): Buffer {
  return diffieHellman({ privateKey: privateOf(scalar), publicKey: rawX25519Public(point) });
}

function privateOf(scalar: Buffer): KeyObject {
  return rawX25519Private(Buffer.from(scalar));
}

function tagOf(wire: Buffer): string {
  return createHash("sha256").update(wire).digest().subarray(0, 4).toString("base64").slice(0, 6);
}

/** Strings with their length before them (RFC 4251 section 5). */
function readWire(wire: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < wire.length;) {
    const length = wire.readUInt32BE(at);
    if (length > wire.length - at - 4) throw new RangeError("a string is cut short");
    const part = wire.subarray(at + 4, at + 4 + length);
    parts.push(part[0] === 0 && part.length > 32 ? part.subarray(1) : part);
    at += 4 + length;
  }
  return parts;
}
