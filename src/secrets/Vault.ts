import { lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decryptAge } from "./age/decryptAge.ts";
import { checkEntries, checkSecretName } from "./checkSecret.ts";
import { checkPrivateFolder } from "./readPrivateFile.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretValue } from "./SecretValue.ts";
import type { VaultDocument } from "./vaultDocument.ts";
import { readVaultFile, writeVaultFile } from "./vaultFile.ts";
import { createIdentity, readIdentity, type UnlockedIdentity } from "./vaultIdentity.ts";
import { withVaultLock } from "./withVaultLock.ts";
import type { StoredSecret, WritableStore } from "./WritableStore.ts";
import { diskError, removeLeftovers } from "./writePrivateFile.ts";

/** Where a vault is, and what opens it. */
export interface VaultLocation {
  /** The encrypted file, `vault.age`. Its lock is `vault.lock` beside it. */
  readonly file: string;
  /** `vault.key`, or `vault.key.age` when it is encrypted with a passphrase. */
  readonly identity: string;
  readonly passphrase?: SecretValue;
  /** How long to wait for another writer, 10 000 unless told. */
  readonly waitMs?: number;
}

/**
 * An opened vault. It keeps the unlocked identity, never the values: each call reads the file anew,
 * so what another process wrote is seen, and a write changes only the entry it is about.
 */
export class Vault implements WritableStore {
  readonly store = "vault";
  readonly #location: VaultLocation;
  readonly #identity: UnlockedIdentity;

  constructor(location: VaultLocation, identity: UnlockedIdentity) {
    this.#location = location;
    this.#identity = identity;
  }

  /** @throws SecretError `invalid-name`, `invalid-value`, `empty-value`, `oversized-value`, `busy`, `disk`, or as `openVault` */
  async set(name: string, value: SecretValue): Promise<void> {
    await this.setAll(new Map([[name, value]]));
  }

  /** All of them in one write. @throws SecretError as `set` */
  async setAll(entries: ReadonlyMap<string, SecretValue>): Promise<void> {
    checkEntries(entries);
    if (entries.size === 0) return;
    const updated = new Date().toISOString();
    await this.#change((document) => {
      const changed = new Map(document);
      for (const [name, value] of entries) changed.set(name, { value, updated });
      return changed;
    });
  }

  /** @throws SecretError `missing`, `invalid-name`, `busy`, `disk`, or as `openVault` */
  async rm(name: string): Promise<void> {
    checkSecretName(name);
    await this.#change((document) => {
      if (!document.has(name)) throw missing(name);
      return new Map([...document].filter(([other]) => other !== name));
    });
  }

  /** Sorted by name. @throws SecretError as `openVault` */
  async list(): Promise<(StoredSecret & { readonly updated: string })[]> {
    const { document } = await readVaultFile(this.#location.file, this.#identity);
    return [...document]
      .map(([name, { updated }]) => ({ name, updated }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws SecretError `missing`, `invalid-name`, or as `openVault` */
  async read(name: string): Promise<SecretValue> {
    checkSecretName(name);
    const { document } = await readVaultFile(this.#location.file, this.#identity);
    const entry = document.get(name);
    if (entry === undefined) throw missing(name);
    return entry.value;
  }

  /** All of it, as it is now; for a backup. @throws SecretError as `openVault` */
  async document(): Promise<VaultDocument> {
    return (await readVaultFile(this.#location.file, this.#identity)).document;
  }

  declare(name: string): { vault: string } {
    return { vault: name };
  }

  /** Encrypts what only this vault's identity opens again, for backups. */
  async seal(bytes: Uint8Array): Promise<Uint8Array> {
    const { Encrypter, identityToRecipient } = await import("age-encryption");
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(this.#identity.text.revealSecret()));
    return encrypter.encrypt(bytes);
  }

  /** @throws SecretError `damaged` when it is not what `seal` gave, or another vault's. */
  async unseal(bytes: Uint8Array, file: string): Promise<Buffer> {
    const opened = await decryptAge(bytes, { identity: this.#identity.keys });
    if (!("fault" in opened)) return opened.text;
    throw new SecretError("damaged", `"${file}" is damaged, or was made with another vault`, {
      hint: "put back the vault that belongs to it",
    });
  }

  async #change(change: (document: VaultDocument) => VaultDocument): Promise<void> {
    const { file } = this.#location;
    await checkPrivateFolder(dirname(file));
    await underLock(this.#location, async () => {
      await removeLeftovers(file);
      const { document } = await readVaultFile(file, this.#identity);
      await writeVaultFile(file, this.#identity, change(document), { replace: true });
    });
  }
}

/**
 * Makes an empty vault and its identity, the folder too (0700) if need be. An identity that is
 * already there is used: it may be the user's own, or what a creation that was cut short has left.
 *
 * @throws SecretError `exists` when there is a vault, and as `openVault` and `Vault.set`
 */
export async function createVault(location: VaultLocation): Promise<Vault> {
  const { file, identity, passphrase } = location;
  for (const folder of new Set([dirname(file), dirname(identity)])) {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
      throw diskError(folder, cause);
    });
  }
  await checkPrivateFolder(dirname(file));
  return underLock(location, async () => {
    await removeLeftovers(file);
    await removeLeftovers(identity);
    // Looked for first: a new identity beside a vault of another would only confuse.
    if (await isThere(file))
      throw new SecretError("exists", `there is already a vault at "${file}"`);
    await createIdentity(identity, passphrase).catch((error: unknown) => {
      if (!(error instanceof SecretError && error.code === "exists")) throw error;
    });
    const unlocked = await readIdentity(identity, passphrase);
    await writeVaultFile(file, unlocked, new Map(), { replace: false });
    return new Vault(location, unlocked);
  });
}

/**
 * Opens a vault: unlocks the identity (with a passphrase, about a second), and reads the file once
 * to see that they belong together.
 *
 * @throws SecretError `missing`, `unreadable`, `unsafe-mode`, `damaged`, `locked`,
 * `wrong-passphrase`, `wrong-recipient`
 */
export async function openVault(location: VaultLocation): Promise<Vault> {
  await checkPrivateFolder(dirname(location.file));
  const identity = await readIdentity(location.identity, location.passphrase);
  await readVaultFile(location.file, identity);
  return new Vault(location, identity);
}

async function isThere(file: string): Promise<boolean> {
  return (await lstat(file).catch(() => undefined)) !== undefined;
}

function underLock<T>(location: VaultLocation, work: () => Promise<T>): Promise<T> {
  const lock = join(dirname(location.file), "vault.lock");
  return withVaultLock(lock, location.waitMs ?? 10_000, work);
}

function missing(name: string): SecretError {
  return new SecretError("missing", `the vault has no secret "${name}"`, {
    hint: `store it with: seawall secret set ${name}`,
  });
}
