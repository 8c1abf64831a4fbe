import type { SecretSource } from "../plan/index.ts";
import type { SecretStore } from "./SecretStore.ts";
import { SecretValue } from "./SecretValue.ts";
import type { StoreHealth } from "./StoreHealth.ts";
import { VaultStore } from "./VaultStore.ts";

/** What the stores need to know. One member per store that needs anything. */
export interface StoreSettings {
  readonly vault: {
    readonly file: string;
    readonly identity: string;
    readonly passphrase?: string;
  };
  /** Told when a store can't follow a change. */
  readonly onHealth?: (health: StoreHealth) => void;
}

/** One store for each member of `SecretSource`. */
type Stores = {
  readonly [Name in SecretSource["store"]]: SecretStore<Extract<SecretSource, { store: Name }>>;
};

/**
 * Every store behind one door. Nothing is read until a secret is asked for, so a store that no
 * secret uses may be absent.
 */
export async function openStores(settings: StoreSettings): Promise<SecretStore> {
  const onHealth = settings.onHealth ?? (() => undefined);
  const { passphrase, ...vault } = settings.vault;
  const stores: Stores = {
    vault: new VaultStore(
      {
        ...vault,
        ...(passphrase === undefined ? {} : { passphrase: new SecretValue(passphrase) }),
      },
      onHealth,
    ),
  };
  return { read: (source) => stores[source.store].read(source) };
}
