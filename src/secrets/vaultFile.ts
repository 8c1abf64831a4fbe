import { decryptAge } from "./age/decryptAge.ts";
import { readPrivateFile } from "./readPrivateFile.ts";
import { SecretError } from "./SecretError.ts";
import { parseVaultDocument, printVaultDocument, type VaultDocument } from "./vaultDocument.ts";
import type { UnlockedIdentity } from "./vaultIdentity.ts";
import { writePrivateFile } from "./writePrivateFile.ts";

/** Hundreds of the largest secrets. Above it, something else lies there. */
const LIMIT = 64 * 1024 * 1024;

/**
 * What tells one version of the vault file from the next, as text. The change time is in it because
 * nobody can set that back, unlike the modification time.
 */
export function vaultStamp(stats: {
  readonly dev: number | bigint;
  readonly ino: number | bigint;
  readonly size: number | bigint;
  readonly ctimeMs: number | bigint;
}): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.ctimeMs}`;
}

/**
 * Reads and decrypts a vault.
 *
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode`, `damaged`; `wrong-recipient`
 * when it was made for another identity
 */
export async function readVaultFile(
  file: string,
  identity: UnlockedIdentity,
): Promise<{ readonly document: VaultDocument; readonly stamp: string }> {
  const { bytes, stats } = await readPrivateFile("vault", file, LIMIT);
  const opened = await decryptAge(bytes, { identity: identity.keys });
  if ("fault" in opened) {
    throw opened.fault === "foreign"
      ? new SecretError("wrong-recipient", `vault "${file}" was made for another identity`, {
          hint: "put back the identity that belongs to it",
        })
      : new SecretError("damaged", `vault "${file}" is damaged`, {
          hint: "restore it from a backup, or remove it and store the secrets again",
        });
  }
  return { document: parseVaultDocument(opened.text, file), stamp: vaultStamp(stats) };
}

/**
 * Encrypts and writes a vault, atomically.
 *
 * @throws SecretError `disk`; `exists` when `replace` is false
 */
export async function writeVaultFile(
  file: string,
  identity: UnlockedIdentity,
  document: VaultDocument,
  options: { readonly replace: boolean },
): Promise<void> {
  const { Encrypter, identityToRecipient } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity.text.revealSecret()));
  const text = printVaultDocument(document);
  const bytes = await encrypter.encrypt(text);
  text.fill(0);
  await writePrivateFile(file, bytes, options);
}
