import { checkSecretName, checkSecretValue } from "./checkSecret.ts";
import { SecretError } from "./SecretError.ts";
import { SecretValue } from "./SecretValue.ts";

/** One stored secret. */
export interface VaultEntry {
  readonly value: SecretValue;
  /** When it was last set, ISO 8601 in UTC. */
  readonly updated: string;
}

/** What is inside the encrypted file, by name. */
export type VaultDocument = ReadonlyMap<string, VaultEntry>;

/**
 * Reads the JSON inside a vault: `{version: 1, secrets: {name: {value, updated}}}` and nothing else.
 * `text` is wiped.
 *
 * @throws SecretError `damaged`, without cause: JSON.parse quotes what it can't read
 */
export function parseVaultDocument(text: Buffer, file: string): VaultDocument {
  let root: unknown;
  try {
    root = JSON.parse(text.toString("utf8"));
  } catch {
    throw damaged(file, "is not JSON inside");
  } finally {
    text.fill(0);
  }
  if (!isRecord(root)) throw damaged(file, "is not a vault inside");
  if (root["version"] !== 1) {
    throw damaged(file, "has a version this Seawall doesn't know", "use a newer Seawall");
  }
  if (!hasOnly(root, ["version", "secrets"]) || !isRecord(root["secrets"])) {
    throw damaged(file, "is not a vault inside");
  }
  const entries = new Map<string, VaultEntry>();
  for (const [name, entry] of Object.entries(root["secrets"])) {
    if (!isRecord(entry) || !hasOnly(entry, ["value", "updated"])) {
      throw damaged(file, "has an entry that is not one of ours");
    }
    const { value, updated } = entry;
    if (typeof value !== "string" || typeof updated !== "string" || !isTime(updated)) {
      throw damaged(file, "has an entry that is not one of ours");
    }
    const secret = new SecretValue(value);
    try {
      checkSecretName(name);
      checkSecretValue(secret);
    } catch {
      throw damaged(file, "has an entry that can't be a secret");
    }
    entries.set(name, { value: secret, updated });
  }
  return entries;
}

/** The JSON for a vault, names sorted. Holds every value in the clear: encrypt it, then wipe it. */
export function printVaultDocument(document: VaultDocument): Buffer {
  const secrets = Object.fromEntries(
    [...document]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { value, updated }]) => [name, { value: value.revealSecret(), updated }]),
  );
  return Buffer.from(JSON.stringify({ version: 1, secrets }));
}

function damaged(file: string, what: string, hint?: string): SecretError {
  return new SecretError("damaged", `vault "${file}" ${what}`, {
    hint: hint ?? "restore it from a backup, or remove it and store the secrets again",
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(record: Record<string, unknown>, keys: readonly string[]): boolean {
  return Object.keys(record).every((key) => keys.includes(key));
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}
