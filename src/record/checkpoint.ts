import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { RecordError } from "./RecordError.ts";

/** Why a checkpoint was made. */
export type CheckpointReason = "lines" | "time" | "rotation" | "stop";

/** What a checkpoint's and a head's signature begins with, so that neither can pass as the other. */
const CHECKPOINT = "seawall-audit-checkpoint:";
const HEAD = "seawall-audit-head:";
const SIGNATURE = ',"signature":"';

/** Signs for one deployment. */
export interface Signer {
  readonly keyId: string;
  sign(text: string): string;
}

/** A new Ed25519 key (RFC 8032) as PKCS #8 PEM. */
export function makeSigningKey(): string {
  return generateKeyPairSync("ed25519")
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

/** @throws RecordError `key-unusable`. */
export function signerOf(pem: string): Signer {
  const key = readKey(() => createPrivateKey(pem));
  return {
    keyId: keyId(publicText(key)),
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64url"),
  };
}

/**
 * The public key as it is shown and given: 32 bytes in base64url.
 *
 * @param pem of the private or the public key.
 * @throws RecordError `key-unusable`.
 */
export function publicKeyOf(pem: string): string {
  return publicText(readKey(() => createPublicKey(pem)));
}

/** Short name of a public key: the first 16 hexadecimal digits of SHA-256 over its 32 bytes. */
export function keyId(publicKey: string): string {
  return createHash("sha256")
    .update(Buffer.from(publicKey, "base64url"))
    .digest("hex")
    .slice(0, 16);
}

/** Checks what was signed by the key with the id it names; `undefined` for a key that isn't known. */
export type CheckSignature = (id: string, text: string, signature: string) => boolean | undefined;

/**
 * @param publicKeys as `publicKeyOf` gives them.
 * @throws RecordError `key-unusable`.
 */
export function signatureChecker(publicKeys: readonly string[]): CheckSignature {
  const keys = new Map(
    publicKeys.map((x) => [
      keyId(x),
      readKey(() => createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })),
    ]),
  );
  return (id, text, signature) => {
    const key = keys.get(id);
    if (key === undefined) return undefined;
    return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
  };
}

/** The body of a checkpoint's line: signed is everything before the `signature` field. */
export function checkpointBody(
  signer: Signer,
  at: { seq: number; time: string; reason: CheckpointReason; head: string },
): string {
  return signed(signer, CHECKPOINT, {
    seq: at.seq,
    kind: "checkpoint",
    time: at.time,
    reason: at.reason,
    head: at.head,
    key: signer.keyId,
  });
}

/** The text of the head file; signed if there is a key, in the way of a checkpoint. */
export function headText(signer: Signer | undefined, at: Head): string {
  const { seq, hash, time, file } = at;
  const fields = { seq, hash, time, file };
  if (signer === undefined) return `${JSON.stringify(fields)}\n`;
  return `${signed(signer, HEAD, { ...fields, key: signer.keyId })}}\n`;
}

/** The last line that is known to be on the disk. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
  readonly time: string;
  readonly file: string;
}

/** How a signature stands. */
export type SignatureState = "right" | "wrong" | "unknown-key" | "none";

/** @param text a checkpoint's body, or the head's line up to its closing brace. */
export function checkSigned(
  what: "checkpoint" | "head",
  text: string,
  check: CheckSignature,
): { readonly state: SignatureState; readonly keyId?: string } {
  const mark = text.lastIndexOf(SIGNATURE);
  const signature =
    mark < 0 ? undefined : /^([\w-]{86})"$/.exec(text.slice(mark + SIGNATURE.length));
  const id = mark < 0 ? undefined : /,"key":"([0-9a-f]{16})"$/.exec(text.slice(0, mark))?.[1];
  if (signature?.[1] === undefined || id === undefined) return { state: "none" };
  const right = check(
    id,
    `${what === "head" ? HEAD : CHECKPOINT}${text.slice(0, mark)}`,
    signature[1],
  );
  if (right === undefined) return { state: "unknown-key", keyId: id };
  return { state: right ? "right" : "wrong", keyId: id };
}

/** @returns undefined when the text isn't a head. */
export function readHead(text: string): Head | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { seq, hash, time, file } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(seq) || typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash))
    return undefined;
  if (typeof time !== "string" || typeof file !== "string") return undefined;
  return { seq: seq as number, hash, time, file };
}

function signed(signer: Signer, context: string, fields: object): string {
  const text = JSON.stringify(fields).slice(0, -1);
  return `${text}${SIGNATURE}${signer.sign(context + text)}"`;
}

function publicText(key: KeyObject): string {
  const { x } = (key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" });
  return typeof x === "string" ? x : "";
}

function readKey(read: () => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // Said below, without what was in it.
  }
  if (key?.asymmetricKeyType !== "ed25519")
    throw new RecordError("key-unusable", "the record's key is not an Ed25519 key");
  return key;
}
