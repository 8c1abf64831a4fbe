import { lstat } from "node:fs/promises";
import { join } from "node:path";

/** The vault of a folder as it is now. */
export interface LocatedVault {
  readonly file: string;
  /** The identity that is there; `vault.key` when there is none yet. */
  readonly identity: string;
  /** Whether a vault has been made. */
  readonly exists: boolean;
  /** Whether opening it takes a passphrase. */
  readonly sealed: boolean;
}

/**
 * Finds the vault in `folder`: `vault.age`, with `vault.key` or `vault.key.age` (encrypted with a
 * passphrase) beside it. With both identities there, the plain one counts: it opens the vault.
 */
export async function locateVault(folder: string): Promise<LocatedVault> {
  const there = async (name: string): Promise<boolean> =>
    (await lstat(join(folder, name)).catch(() => undefined)) !== undefined;
  const sealed = !(await there("vault.key")) && (await there("vault.key.age"));
  return {
    file: join(folder, "vault.age"),
    identity: join(folder, sealed ? "vault.key.age" : "vault.key"),
    exists: await there("vault.age"),
    sealed,
  };
}

/** Where a new identity goes: `vault.key`, or `vault.key.age` when it gets a passphrase. */
export function newIdentityPath(folder: string, sealed: boolean): string {
  return join(folder, sealed ? "vault.key.age" : "vault.key");
}
