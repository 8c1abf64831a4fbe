import type { SecretSource } from "../plan/index.ts";
import { environmentStore } from "./environmentStore.ts";
import { HelperStore, type AskHelper } from "./HelperStore.ts";
import type { SecretStore } from "./SecretStore.ts";
import { SecretValue } from "./SecretValue.ts";
import type { StoreHealth } from "./StoreHealth.ts";
import type { StoreSettings } from "./StoreSettings.ts";
import { VaultStore } from "./VaultStore.ts";
import { watchedPaths } from "./watchedPaths.ts";

/** How the stores speak to the process they are in. */
export interface StoreSurroundings {
  /** Told when a store can't follow a change. */
  readonly onHealth?: (health: StoreHealth) => void;
  /** For the stores that a process of their own reads. */
  readonly ask?: AskHelper;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Every store behind one door, following what changes. */
export interface OpenStores extends SecretStore {
  /** Looks for changes in what was asked for; `all`: reads anew what can't be watched too. */
  refresh(how: "all" | "changed"): Promise<void>;
  /** Takes back what was reported through `onHealth`. */
  close(): void;
}

/**
 * The stores as the broker has them: the vault and the environment it reads itself, the others a
 * process of their own. Nothing is read until a secret is asked for, so a store that no secret uses
 * may be absent.
 */
export async function openStores(
  settings: StoreSettings,
  surroundings: StoreSurroundings = {},
): Promise<OpenStores> {
  const onHealth = surroundings.onHealth ?? (() => undefined);
  const { passphrase, ...location } = settings.vault;
  const vault = new VaultStore(
    {
      ...location,
      ...(passphrase === undefined ? {} : { passphrase: new SecretValue(passphrase) }),
    },
    onHealth,
  );
  const environment = environmentStore(surroundings.environment ?? {});
  const helper = new HelperStore(
    surroundings.ask ?? (async () => []),
    (source) => watchedPaths(source, settings),
    onHealth,
  );
  const read = (source: SecretSource): Promise<SecretValue> => {
    if (source.store === "vault") return vault.read(source);
    return source.store === "env" ? environment.read(source) : helper.read(source);
  };
  return {
    read,
    peek: (source) => {
      if (source.store === "vault") return vault.peek(source);
      return source.store === "env" ? undefined : helper.peek(source);
    },
    refresh: async (how) => {
      await Promise.all([vault.refresh(), helper.refresh(how)]);
    },
    close: () => {
      vault.close();
      helper.close();
    },
  };
}
