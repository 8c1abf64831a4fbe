import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  privateDecrypt,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";
import { hkdf, rawX25519Private, rawX25519Public } from "./x25519.ts";

/** An SSH key as age uses it (filippo.io/age/agessh): the tag finds its stanza. */
export type SshIdentity =
  | {
      readonly kind: "ssh-ed25519";
      readonly tag: string;
      readonly privateKey: KeyObject;
      /** Raw, of the Montgomery form. */
      readonly publicKey: Uint8Array;
      readonly tweak: KeyObject;
    }
  | { readonly kind: "ssh-rsa"; readonly tag: string; readonly privateKey: KeyObject };

export type ParsedSsh = { readonly identity: SshIdentity } | { readonly fault: SshFault };

/** `sealed`: it has a passphrase of its own. */
export type SshFault = "damaged" | "sealed" | "unsupported";

const ED25519_LABEL = "age-encryption.org/v1/ssh-ed25519";
const RSA_LABEL = "age-encryption.org/v1/ssh-rsa";
const MAGIC = "openssh-key-v1\0";

/** Whether a text is a private key in a form that SSH keeps them in. */
export function isSshKey(text: string): boolean {
  return /^-----BEGIN (?:OPENSSH |RSA |ENCRYPTED )?PRIVATE KEY-----/.test(text.trimStart());
}

/**
 * Reads an SSH private key without passphrase: OpenSSH's own format (PROTOCOL.key), or PEM. Gives
 * a fault rather than an error that might quote it.
 */
export function parseSshIdentity(text: string): ParsedSsh {
  try {
    if (!text.includes("BEGIN OPENSSH")) return fromPem(text);
    const body =
      /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/.exec(
        text,
      )?.[1];
    const bytes = Buffer.from(body ?? "", "base64");
    try {
      return fromOpenSsh(bytes);
    } finally {
      bytes.fill(0);
    }
  } catch {
    return { fault: "damaged" };
  }
}

/** Opens the file key of a stanza whose tag is this key's; undefined when it is malformed. */
export function unwrapWithSsh(
  identity: SshIdentity,
  share: Uint8Array | undefined,
  body: Uint8Array,
  open: (wrapKey: Uint8Array, body: Uint8Array) => Buffer | undefined,
): Buffer | undefined {
  try {
    if (identity.kind === "ssh-rsa") {
      const fileKey = privateDecrypt(
        {
          key: identity.privateKey,
          padding: constants.RSA_PKCS1_OAEP_PADDING,
          oaepHash: "sha256",
          oaepLabel: Buffer.from(RSA_LABEL),
        },
        body,
      );
      return fileKey.length === 16 ? fileKey : undefined;
    }
    if (share?.length !== 32 || body.length !== 32) return undefined;
    const first = diffieHellman({
      privateKey: identity.privateKey,
      publicKey: rawX25519Public(share),
    });
    const shared = diffieHellman({
      privateKey: identity.tweak,
      publicKey: rawX25519Public(first),
    });
    const salt = Buffer.concat([share, identity.publicKey]);
    return open(hkdf(shared, salt, ED25519_LABEL), body);
  } catch {
    return undefined;
  }
}

function fromPem(text: string): ParsedSsh {
  if (/ENCRYPTED/.test(text)) return { fault: "sealed" };
  return fromKey(createPrivateKey(text));
}

function fromOpenSsh(bytes: Buffer): ParsedSsh {
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) return { fault: "damaged" };
  const outer = new Reader(bytes.subarray(MAGIC.length));
  const cipher = outer.text();
  outer.string();
  outer.string();
  const count = outer.number();
  outer.string();
  const inside = outer.string();
  if (cipher !== "none") return { fault: "sealed" };
  if (count !== 1) return { fault: "unsupported" };
  const inner = new Reader(inside);
  // Equal where the key was decrypted rightly, which here means that the file is whole.
  if (inner.number() !== inner.number()) return { fault: "damaged" };
  const type = inner.text();
  if (type === "ssh-ed25519") {
    const x = inner.string();
    const pair = inner.string();
    return fromKey(
      createPrivateKey({
        key: { kty: "OKP", crv: "Ed25519", x: url(x), d: url(pair.subarray(0, 32)) },
        format: "jwk",
      }),
    );
  }
  if (type !== "ssh-rsa") return { fault: "unsupported" };
  const [n, e, d, qi, p, q] = [0, 1, 2, 3, 4, 5].map(() => inner.integer());
  if (!n || !e || !d || !qi || !p || !q) return { fault: "damaged" };
  const jwk: JsonWebKey = {
    kty: "RSA",
    n: url(n),
    e: url(e),
    d: url(d),
    p: url(p),
    q: url(q),
    dp: url(modulo(d, p)),
    dq: url(modulo(d, q)),
    qi: url(qi),
  };
  return fromKey(createPrivateKey({ key: jwk, format: "jwk" }));
}

function fromKey(privateKey: KeyObject): ParsedSsh {
  const jwk = privateKey.export({ format: "jwk" });
  if (privateKey.asymmetricKeyType === "ed25519") {
    const wire = wireOf("ssh-ed25519", [Buffer.from(jwk.x ?? "", "base64url")]);
    const hash = createHash("sha512")
      .update(Buffer.from(jwk.d ?? "", "base64url"))
      .digest();
    const montgomery = rawX25519Private(hash.subarray(0, 32));
    hash.fill(0);
    const spki = createPublicKey(montgomery).export({ format: "der", type: "spki" });
    return {
      identity: {
        kind: "ssh-ed25519",
        tag: tagOf(wire),
        privateKey: montgomery,
        publicKey: spki.subarray(-32),
        tweak: rawX25519Private(hkdf(Buffer.alloc(0), wire, ED25519_LABEL)),
      },
    };
  }
  if (privateKey.asymmetricKeyType !== "rsa") return { fault: "unsupported" };
  const [e, n] = [jwk.e, jwk.n].map((part) => Buffer.from(part ?? "", "base64url"));
  if (!e || !n) return { fault: "damaged" };
  const wire = wireOf("ssh-rsa", [positive(e), positive(n)]);
  return { identity: { kind: "ssh-rsa", tag: tagOf(wire), privateKey } };
}

/** The public key as SSH sends it (RFC 4253 section 6.6). */
function wireOf(type: string, parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    [Buffer.from(type), ...parts].flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

function tagOf(wire: Buffer): string {
  return createHash("sha256").update(wire).digest().subarray(0, 4).toString("base64").slice(0, 6);
}

/** An mpint has a leading zero where it would else be negative (RFC 4251 section 5). */
function positive(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function modulo(d: Buffer, prime: Buffer): Buffer {
  const big = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString("hex")}`);
  const hex = (big(d) % (big(prime) - 1n)).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}

function url(bytes: Buffer): string {
  return bytes.toString("base64url");
}

/** Strings with their length before them (RFC 4251 section 5). */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  string(): Buffer {
    const length = this.number();
    if (length > this.#bytes.length - this.#at) throw new RangeError("a string is cut short");
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  text(): string {
    return this.string().toString("latin1");
  }

  /** Without the zero that an mpint may begin with. */
  integer(): Buffer {
    const bytes = this.string();
    return bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }
}
