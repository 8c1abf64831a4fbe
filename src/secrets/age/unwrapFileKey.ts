import { createDecipheriv, diffieHellman, scrypt } from "node:crypto";
import { promisify } from "node:util";
import type { AgeIdentity } from "./AgeIdentity.ts";
import { decodeBase64, type Stanza } from "./readAgeHeader.ts";
import { unwrapWithSsh, type SshIdentity } from "./SshIdentity.ts";
import { hkdf, rawX25519Public } from "./x25519.ts";

/** What may open a file. */
export type AgeKey =
  | { readonly identity: AgeIdentity }
  | { readonly ssh: SshIdentity }
  | { readonly passphrase: string };

/** `foreign`: well-formed, but for another identity or passphrase. `malformed`: not to be trusted. */
export type Unwrapped =
  { readonly fileKey: Uint8Array } | { readonly fault: "foreign" | "malformed" };

/** Above this scrypt takes more than 1 GiB; a file that asks for it is an attack (age stops there too). */
const MAX_WORK_FACTOR = 20;

const scryptAsync: (
  password: string,
  salt: Uint8Array,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer> = promisify(scrypt);

/** Finds the stanza made for the key and opens it (C2SP age.md, "Native recipient types"). */
export async function unwrapFileKey(stanzas: readonly Stanza[], key: AgeKey): Promise<Unwrapped> {
  const hasScrypt = stanzas.some((stanza) => stanza.type === "scrypt");
  // A passphrase stanza stands alone, else somebody could add himself to a passphrase file.
  if (hasScrypt && stanzas.length !== 1) return { fault: "malformed" };
  for (const stanza of stanzas) {
    const opened = await unwrapStanza(stanza, key);
    if (opened !== undefined && !("fault" in opened && opened.fault === "foreign")) return opened;
  }
  return { fault: "foreign" };
}

/** Undefined for a stanza that isn't of the key's kind. */
async function unwrapStanza(stanza: Stanza, key: AgeKey): Promise<Unwrapped | undefined> {
  if ("identity" in key)
    return stanza.type === "X25519" ? unwrapX25519(stanza, key.identity) : undefined;
  if ("ssh" in key) return stanza.type === key.ssh.kind ? unwrapSsh(stanza, key.ssh) : undefined;
  return stanza.type === "scrypt" ? unwrapScrypt(stanza, key.passphrase) : undefined;
}

/** As filippo.io/age/agessh does it: another key's tag is foreign, whatever fails after that is not. */
function unwrapSsh(stanza: Stanza, identity: SshIdentity): Unwrapped {
  const [tag, share] = stanza.args;
  if (stanza.args.length !== (identity.kind === "ssh-rsa" ? 1 : 2)) return { fault: "malformed" };
  if (tag !== identity.tag) return { fault: "foreign" };
  const fileKey = unwrapWithSsh(identity, decodeBase64(share ?? ""), stanza.body, (key, body) =>
    openChunk(key, Buffer.alloc(12), body),
  );
  return fileKey === undefined ? { fault: "malformed" } : { fileKey };
}

function unwrapX25519(stanza: Stanza, identity: AgeIdentity): Unwrapped {
  const share = stanza.args.length === 1 ? decodeBase64(stanza.args[0] ?? "") : undefined;
  if (share?.length !== 32 || stanza.body.length !== 32) return { fault: "malformed" };
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey: identity.privateKey, publicKey: rawX25519Public(share) });
  } catch {
    // OpenSSL refuses a share of low order, as RFC 7748 section 6.1 and age want.
    return { fault: "malformed" };
  }
  const salt = Buffer.concat([share, identity.publicKey]);
  return openFileKey(hkdf(shared, salt, "age-encryption.org/v1/X25519"), stanza.body);
}

async function unwrapScrypt(stanza: Stanza, passphrase: string): Promise<Unwrapped> {
  const [saltText, factorText] = stanza.args;
  const salt = decodeBase64(saltText ?? "");
  if (stanza.args.length !== 2 || salt?.length !== 16 || stanza.body.length !== 32) {
    return { fault: "malformed" };
  }
  if (!/^[1-9][0-9]*$/.test(factorText ?? "") || Number(factorText) > MAX_WORK_FACTOR) {
    return { fault: "malformed" };
  }
  const N = 2 ** Number(factorText);
  const label = Buffer.concat([Buffer.from("age-encryption.org/v1/scrypt"), salt]);
  // Off the main thread: at age's factor 18 it takes about a second and 256 MiB for its duration.
  const key = await scryptAsync(passphrase, label, 32, {
    N,
    r: 8,
    p: 1,
    maxmem: 1024 * N + 2 ** 20,
  });
  return openFileKey(key, stanza.body);
}

function openFileKey(wrapKey: Uint8Array, body: Uint8Array): Unwrapped {
  const fileKey = openChunk(wrapKey, Buffer.alloc(12), body);
  return fileKey === undefined ? { fault: "foreign" } : { fileKey };
}

/** ChaCha20-Poly1305 with the tag behind the text (RFC 8439); undefined when the tag is wrong. */
export function openChunk(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  const tag = sealed.length - 16;
  if (tag < 0) return undefined;
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  cipher.setAuthTag(sealed.subarray(tag));
  const text = cipher.update(sealed.subarray(0, tag));
  try {
    cipher.final();
  } catch {
    text.fill(0);
    return undefined;
  }
  return text;
}
