import { parseAgeIdentity, type AgeIdentity } from "./age/AgeIdentity.ts";
import { decryptAge } from "./age/decryptAge.ts";
import { isAgeFile } from "./age/readAgeHeader.ts";
import { readPrivateFile } from "./readPrivateFile.ts";
import { SecretError } from "./SecretError.ts";
import { SecretValue } from "./SecretValue.ts";
import { writePrivateFile } from "./writePrivateFile.ts";

/** An identity file is a few hundred bytes. */
const LIMIT = 64 * 1024;

/** A vault's identity, unlocked: as text for encrypting, as keys for decrypting. */
export interface UnlockedIdentity {
  readonly text: SecretValue;
  readonly keys: AgeIdentity;
  /** Whether its file is encrypted with a passphrase. */
  readonly sealed: boolean;
}

/**
 * Makes a new identity at `file`: as `age-keygen` writes it, or that encrypted with the passphrase,
 * which takes a second or two of scrypt, on purpose (age's work factor 18).
 *
 * @throws SecretError `exists`, `disk`, `empty-value` for an empty passphrase
 */
export async function createIdentity(
  file: string,
  passphrase: SecretValue | undefined,
): Promise<void> {
  if (passphrase?.revealSecret() === "") {
    throw new SecretError("empty-value", "the passphrase is empty");
  }
  const { Encrypter, generateX25519Identity, identityToRecipient } = await import("age-encryption");
  // Not the post-quantum kind: age before 1.3 (Debian 12 and 13) can't read it.
  const identity = await generateX25519Identity();
  const created = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  let bytes: Uint8Array = Buffer.from(
    `# created: ${created}\n# public key: ${await identityToRecipient(identity)}\n${identity}\n`,
  );
  if (passphrase !== undefined) {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(passphrase.revealSecret());
    bytes = await encrypter.encrypt(bytes);
  }
  await writePrivateFile(file, bytes, { replace: false });
}

/**
 * Reads an identity file, plain or encrypted with a passphrase (told apart by what is in it).
 *
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode`, `damaged`, `wrong-passphrase`;
 * `locked` when a passphrase is needed, or given for an identity that has none
 */
export async function readIdentity(
  file: string,
  passphrase: SecretValue | undefined,
): Promise<UnlockedIdentity> {
  const { bytes } = await readPrivateFile("identity", file, LIMIT);
  const sealed = isAgeFile(bytes);
  let plain = bytes;
  if (sealed) {
    if (passphrase === undefined) {
      throw new SecretError("locked", `identity "${file}" needs its passphrase`, {
        hint: "start it from a terminal, where the passphrase is asked for: seawall up",
      });
    }
    const opened = await decryptAge(bytes, { passphrase: passphrase.revealSecret() });
    if ("fault" in opened) {
      throw opened.fault === "foreign"
        ? new SecretError("wrong-passphrase", `that is not the passphrase of identity "${file}"`, {
            hint: "type it again; nothing was changed",
          })
        : damaged(file);
    }
    plain = opened.text;
  } else if (passphrase !== undefined) {
    throw new SecretError("locked", `identity "${file}" has no passphrase, yet one was given`);
  }
  const keys = plain
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line !== "" && !line.startsWith("#"));
  plain.fill(0);
  const [text] = keys;
  const parsed = text === undefined || keys.length > 1 ? undefined : parseAgeIdentity(text);
  if (text === undefined || parsed === undefined) throw damaged(file);
  return { text: new SecretValue(text), keys: parsed, sealed };
}

function damaged(file: string): SecretError {
  return new SecretError("damaged", `identity "${file}" is not one age X25519 identity`, {
    hint: "restore it from a backup; without it the vault can't be opened",
  });
}
