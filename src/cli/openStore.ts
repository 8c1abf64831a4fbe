import { resolve } from "node:path";
import {
  createVault,
  locateVault,
  newIdentityPath,
  openVault,
  openWritableStore,
  SecretValue,
  WRITABLE_STORES,
  type Vault,
  type WritableLocation,
  type WritableStore,
  type WritableStoreName,
} from "../secrets/index.ts";
import { askHidden } from "./askHidden.ts";
import type { Call, CommandOption } from "./Command.ts";
import { UsageError } from "./UsageError.ts";

/** The options by which a command is told which store it is about. */
export const STORE_OPTIONS = {
  store: {
    type: "string",
    value: "STORE",
    help: `which store: ${WRITABLE_STORES.join(", ")}; the vault unless told`,
  },
  folder: { type: "string", value: "DIR", help: "of age files, for --store age" },
  identity: {
    type: "string",
    value: "FILE",
    help: "age identity or SSH key that opens them, where they must be read",
  },
  passphrase: {
    type: "boolean",
    help: "when this makes the vault: protect it with a passphrase, asked at each start",
  },
} as const satisfies Readonly<Record<string, CommandOption>>;

/**
 * Opens the store that the options name, making the vault if there is none yet. A passphrase that
 * it takes is asked for on the terminal.
 *
 * @throws UsageError, SecretError
 */
export async function openForWriting(call: Call): Promise<WritableStore> {
  const location = storeLocation(call);
  return location.store === "vault" ? openOrCreateVault(call) : openWritableStore(location);
}

/** What the options say of where the store is. @throws UsageError */
export function storeLocation(
  call: Call,
): { readonly store: "vault" } | Exclude<WritableLocation, { readonly store: "vault" }> {
  const store = storeName(call);
  switch (store) {
    case "vault":
    case "keyring":
      return { store };
    case "age": {
      const folder = call.value("folder");
      if (folder === undefined) {
        throw new UsageError("--store age needs --folder DIR", "name the folder of the age files");
      }
      const identity = call.value("identity");
      return {
        store,
        folder: resolve(folder),
        ...(identity === undefined ? {} : { identity: resolve(identity) }),
      };
    }
    default:
      return store satisfies never;
  }
}

/** The same, but a vault that isn't there is not made. @throws SecretError `missing`, UsageError */
export async function openExisting(call: Call): Promise<WritableStore> {
  return storeName(call) === "vault" ? openExistingVault(call) : openForWriting(call);
}

/** @throws UsageError when there is no such store */
export function storeName(call: Call): WritableStoreName {
  const given = call.value("store") ?? "vault";
  const known = WRITABLE_STORES.find((name) => name === given);
  if (known !== undefined) return known;
  throw new UsageError(
    "there is no such store to write to",
    `there are: ${WRITABLE_STORES.join(", ")}`,
  );
}

export async function openOrCreateVault(call: Call): Promise<Vault> {
  if ((await locateVault(call.paths.vault.folder)).exists) return openExistingVault(call);
  return makeVault(call, call.flag("passphrase") ? await askNewPassphrase("the vault") : undefined);
}

/** Makes the vault. @throws SecretError `exists` when there is one */
export async function makeVault(call: Call, passphrase: SecretValue | undefined): Promise<Vault> {
  const { folder, file } = call.paths.vault;
  const vault = await createVault({
    file,
    identity: newIdentityPath(folder, passphrase !== undefined),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  call.output.progress(`made the vault at ${file}`);
  return vault;
}

/**
 * @param ask for the vault's passphrase, on the terminal unless told.
 * @throws SecretError `missing` when there is no vault
 */
export async function openExistingVault(call: Call, ask: Ask = askHidden): Promise<Vault> {
  const { file, identity, sealed } = await locateVault(call.paths.vault.folder);
  const passphrase = sealed
    ? { passphrase: new SecretValue(await ask("passphrase of the vault: ")) }
    : {};
  return openVault({ file, identity, ...passphrase });
}

/** Asked for twice. @throws UsageError */
export async function askNewPassphrase(what: string, ask: Ask = askHidden): Promise<SecretValue> {
  const first = await ask(`new passphrase for ${what}: `);
  const second = await ask("once more: ");
  if (first !== second || first === "") {
    throw new UsageError("the two passphrases differ or are empty", "try again");
  }
  return new SecretValue(first);
}

type Ask = (question: string) => Promise<string>;
