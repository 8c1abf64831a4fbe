import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SecretSource } from "../plan/index.ts";
import { MAX_VALUE_BYTES, secretFromStore } from "./checkSecret.ts";
import { openStores, type OpenStores } from "./openStores.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretValue } from "./SecretValue.ts";
import type { StoreHealth } from "./StoreHealth.ts";

/** What a broker that systemd starts reads its secrets from. */
export interface ServiceStoreSettings {
  readonly vault: { readonly file: string; readonly identity: string };
  /** `$CREDENTIALS_DIRECTORY`. */
  readonly directory: string | undefined;
  readonly onHealth: (health: StoreHealth) => void;
}

/**
 * The stores of a service: the vault, which comes as credentials itself, and whatever else the
 * unit's `LoadCredential=` and `LoadCredentialEncrypted=` brought, which the target has given names.
 * No process reads others for it: the target refuses a declaration that would need one.
 */
export async function openServiceStores(settings: ServiceStoreSettings): Promise<OpenStores> {
  const { vault, directory, onHealth } = settings;
  const stores = await openStores({ vault }, { onHealth });
  return {
    ...stores,
    read: async (source) => {
      if (source.store === "vault") return stores.read(source);
      if (source.store === "credential" && source.path === undefined)
        return readCredential(directory, source.name);
      throw noStore(source);
    },
  };
}

function noStore({ store }: SecretSource): SecretError {
  return new SecretError("unsupported", `a service can't read secrets from: ${store}`, {
    hint: "keep it in the vault, in a file named by its whole path, or as a credential of systemd",
  });
}

/** @throws SecretError `missing`, `unreadable`, or that of a value that can't be used */
async function readCredential(directory: string | undefined, name: string): Promise<SecretValue> {
  let bytes: Buffer;
  try {
    // A name with a way in it would be read from elsewhere.
    if (directory === undefined || !/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name))
      throw missing(name);
    bytes = await readFile(join(directory, name));
  } catch (cause) {
    if (cause instanceof SecretError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") throw missing(name);
    throw new SecretError("unreadable", `credential "${name}" can't be read`, { cause });
  }
  if (bytes.length > MAX_VALUE_BYTES + 2)
    throw new SecretError("oversized-value", `credential "${name}" is too long`);
  return secretFromStore(bytes, `credential "${name}"`);
}

function missing(name: string): SecretError {
  return new SecretError("missing", `the unit has no credential "${name}"`, {
    hint: "apply the declaration anew with: seawall switch",
  });
}
