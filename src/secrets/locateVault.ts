import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { SecretError } from "./SecretError.ts";

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
 *
 * @throws SecretError `unreadable` when this user may not look
 */
export async function locateVault(folder: string): Promise<LocatedVault> {
  const there = (name: string): Promise<boolean> => isThere(join(folder, name));
  const sealed = !(await there("vault.key")) && (await there("vault.key.age"));
  return {
    file: join(folder, "vault.age"),
    identity: join(folder, sealed ? "vault.key.age" : "vault.key"),
    exists: await there("vault.age"),
    sealed,
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") return false;
    throw new SecretError("unreadable", `can't look at "${path}": permission is denied`, {
      hint: "be the user who made the vault, or name another folder with SEAWALL_STATE",
      cause,
    });
  }
}

/** Where a new identity goes: `vault.key`, or `vault.key.age` when it gets a passphrase. */
export function newIdentityPath(folder: string, sealed: boolean): string {
  return join(folder, sealed ? "vault.key.age" : "vault.key");
}
