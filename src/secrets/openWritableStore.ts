import type { SecretValue } from "./SecretValue.ts";
import { openVault, type VaultLocation } from "./Vault.ts";
import type { WritableStore } from "./WritableStore.ts";

/** What opening one of them takes. */
export type WritableLocation =
  | ({ readonly store: "vault" } & VaultLocation)
  /** `service` groups the entries; `seawall` unless told. */
  | { readonly store: "keyring"; readonly service?: string }
  /** A folder of `NAME.age`, the `recipients.txt` in it saying for whom. */
  | {
      readonly store: "age";
      readonly folder: string;
      /** For reading: an age identity file or SSH private key. */
      readonly identity?: string;
      readonly passphrase?: SecretValue;
    };

/**
 * Opens a store for the commands that change it. Each one's code is loaded only when it is asked for.
 *
 * @throws SecretError
 */
export async function openWritableStore(location: WritableLocation): Promise<WritableStore> {
  switch (location.store) {
    case "vault":
      return openVault(location);
    case "keyring": {
      const { KeyringStore } = await import("./keyring/KeyringStore.ts");
      return new KeyringStore(location.service);
    }
    case "age": {
      const { AgeFolder } = await import("./age/AgeFolder.ts");
      return AgeFolder.open(location);
    }
    default:
      return location satisfies never;
  }
}
