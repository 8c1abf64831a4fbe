import { decryptAge, decryptAgeWithAny } from "./age/decryptAge.ts";
import { encryptAge, type AgeFor } from "./age/encryptAge.ts";
import { readAgeKeys } from "./age/readAgeKeys.ts";
import { textOf } from "./ageStore.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretValue } from "./SecretValue.ts";
import { readTrustedFile } from "./trustedFile.ts";
import type { Vault } from "./Vault.ts";
import { parseVaultDocument, printVaultDocument } from "./vaultDocument.ts";
import { writePrivateFile } from "./writePrivateFile.ts";

const LIMIT = 64 * 1024 * 1024;

/** What opens a backup. */
export type BackupKey = { readonly passphrase: SecretValue } | { readonly identity: string };

/**
 * Writes all of a vault to one age file that needs nothing of this machine to be opened: not the
 * vault's identity, which is lost with the disk. `age -d` opens it too.
 *
 * @returns the names that are in it.
 * @throws SecretError `exists`, `unsupported`, `empty-value` (of the passphrase), `disk`, or as `openVault`
 */
export async function backupVault(vault: Vault, file: string, whom: AgeFor): Promise<string[]> {
  if ("passphrase" in whom && whom.passphrase.revealSecret() === "")
    throw new SecretError("empty-value", "the passphrase is empty");
  const document = await vault.document();
  const bytes = await encryptAge(printVaultDocument(document), whom);
  await writePrivateFile(file, bytes, { replace: false });
  return [...document.keys()].toSorted();
}

/**
 * Puts what is in a backup into a vault, in one write. Nothing of it is lost over what is there: a
 * name that the vault has with another value is a refusal unless `replace`.
 *
 * @returns the names that were put there.
 * @throws SecretError `exists`, `wrong-passphrase`, `wrong-recipient`, `damaged`, …
 */
export async function restoreVault(
  vault: Vault,
  file: string,
  key: BackupKey,
  { replace }: { readonly replace: boolean },
): Promise<string[]> {
  const { bytes, path } = await readTrustedFile(file, {
    what: "backup",
    limit: LIMIT,
    holds: "encrypted",
  });
  const opened =
    "passphrase" in key
      ? await decryptAge(bytes, { passphrase: key.passphrase.revealSecret() })
      : await decryptAgeWithAny(bytes, await readAgeKeys({ path: key.identity }));
  const text = textOf(opened, path, "identity" in key ? key.identity : undefined);
  const saved = parseVaultDocument(text, path);
  const there = await vault.document();
  const clashing = [...saved].filter(([name, { value }]) => {
    const other = there.get(name)?.value;
    return other !== undefined && other.revealSecret() !== value.revealSecret();
  });
  if (clashing.length > 0 && !replace) {
    const names = clashing.map(([name]) => `"${name}"`).join(", ");
    throw new SecretError("exists", `the vault has other values of ${names}`, {
      hint: "to have those of the backup instead: --replace",
    });
  }
  await vault.setAll(new Map([...saved].map(([name, { value }]) => [name, value])));
  return [...saved.keys()].toSorted();
}
