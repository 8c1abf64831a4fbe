import { stat } from "node:fs/promises";
import type { SecretSource } from "../plan/index.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { SecretValue } from "./SecretValue.ts";
import type { StoreHealth } from "./StoreHealth.ts";
import type { VaultDocument } from "./vaultDocument.ts";
import { readVaultFile, vaultStamp } from "./vaultFile.ts";
import { readIdentity, type UnlockedIdentity } from "./vaultIdentity.ts";
import type { VaultLocation } from "./Vault.ts";

/** A changed vault is noticed by the first read after this time. */
const CHECK_EVERY_MS = 1000;

type VaultSource = Extract<SecretSource, { store: "vault" }>;

/**
 * The vault as the broker uses it: opened at the first read, values kept (hidden) in memory, and
 * read again when the file has changed.
 *
 * - A secret that was removed, or a vault that was removed, is `missing` from then on.
 * - A new file that can't be used (damaged, unsafe mode, unreadable) leaves the old values in force
 *   and is reported through `onHealth` until a usable one is there.
 */
export class VaultStore implements SecretStore {
  readonly #onHealth: (health: StoreHealth) => void;
  readonly #now: () => number;
  /** Without the passphrase once it has served. */
  #location: VaultLocation;
  #sealed: UnlockedIdentity | undefined;
  #loaded: { readonly document: VaultDocument; readonly stamp: string } | undefined;
  /** What is wrong with the file that is there, as it was reported. */
  #refused: string | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  /** @param now milliseconds that never go back; for tests */
  constructor(
    location: VaultLocation,
    onHealth: (health: StoreHealth) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#location = location;
    this.#onHealth = onHealth;
    this.#now = now;
  }

  /** @throws SecretError `missing`; before the vault was ever opened, whatever `openVault` throws */
  async read(source: VaultSource): Promise<SecretValue> {
    if (this.#now() - this.#checkedAt >= CHECK_EVERY_MS) {
      // One check serves all the reads that wait for it.
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined;
      });
    }
    await this.#checking;
    const entry = this.#loaded?.document.get(source.key);
    if (entry === undefined) {
      throw new SecretError("missing", `the vault has no secret "${source.key}"`, {
        hint: `store it with: seawall secret set ${source.key}`,
      });
    }
    return entry.value;
  }

  peek(source: VaultSource): SecretValue | undefined {
    if (this.#checking !== undefined || this.#now() - this.#checkedAt >= CHECK_EVERY_MS)
      return undefined;
    return this.#loaded?.document.get(source.key)?.value;
  }

  /** Looks for a change now, if it was ever read; what goes wrong is reported as ever. */
  async refresh(): Promise<void> {
    if (this.#checkedAt === Number.NEGATIVE_INFINITY) return;
    await this.#checking;
    await this.#check().catch(() => undefined);
  }

  /** Takes back what was reported. */
  close(): void {
    if (this.#refused !== undefined) this.#onHealth({ type: "health-clear", key: "vault" });
    this.#refused = undefined;
    this.#loaded = undefined;
  }

  async #check(): Promise<void> {
    const { file } = this.#location;
    const stamp = await stat(file).then(vaultStamp, (cause: unknown) => {
      const { code } = cause as NodeJS.ErrnoException;
      return code === "ENOENT" ? "gone" : "unreadable";
    });
    if (stamp === "gone") {
      this.#loaded = undefined;
      throw new SecretError("missing", `there is no vault at "${file}"`, {
        hint: "make one by storing a secret: seawall secret set NAME",
      });
    }
    // A refused file is tried at every check: what was wrong may have been its identity.
    if (stamp !== this.#loaded?.stamp || this.#refused !== undefined) await this.#load();
    this.#checkedAt = this.#now();
  }

  async #load(): Promise<void> {
    try {
      const identity = await this.#unlock();
      this.#loaded = await readVaultFile(this.#location.file, identity);
      if (this.#refused !== undefined) this.#onHealth({ type: "health-clear", key: "vault" });
      this.#refused = undefined;
    } catch (error) {
      if (this.#loaded === undefined || !(error instanceof SecretError)) throw error;
      if (this.#refused === error.message) return;
      this.#refused = error.message;
      this.#onHealth({
        type: "health",
        key: "vault",
        warning: `${error.message}; the secrets read before stay in use`,
        ...(error.hint === undefined ? {} : { remedy: error.hint }),
      });
    }
  }

  async #unlock(): Promise<UnlockedIdentity> {
    if (this.#sealed !== undefined) return this.#sealed;
    const { passphrase, ...rest } = this.#location;
    const identity = await readIdentity(rest.identity, passphrase);
    // A plain identity is read again each time: it is cheap, and it may have been exchanged. One with
    // a passphrase is unlocked once, and the passphrase forgotten.
    if (identity.sealed) {
      this.#sealed = identity;
      this.#location = rest;
    }
    return identity;
  }
}
