import type { SecretSource } from "../plan/index.ts";
import type { SecretStore } from "./SecretStore.ts";
import { SecretValue } from "./SecretValue.ts";
import type { StoreSettings } from "./StoreSettings.ts";

/** One store for each member of `SecretSource`, loaded when it is first asked. */
type Stores = {
  readonly [Name in SecretSource["store"]]: () => Promise<
    SecretStore<Extract<SecretSource, { store: Name }>>
  >;
};

/**
 * Every store read by this very process: the process that reads for the broker, and commands. A store
 * that no secret uses costs nothing.
 */
export function openDirect(
  settings: StoreSettings,
  environment: Readonly<Record<string, string | undefined>> = {},
): SecretStore {
  const readAny = async (source: SecretSource): Promise<SecretValue> => {
    const store = (await stores[source.store]()) as SecretStore;
    return store.read(source);
  };
  const stores: Stores = {
    vault: async () => {
      const { VaultStore } = await import("./VaultStore.ts");
      const { passphrase, ...vault } = settings.vault;
      const sealed = passphrase === undefined ? {} : { passphrase: new SecretValue(passphrase) };
      return new VaultStore({ ...vault, ...sealed }, () => undefined);
    },
    file: async () => (await import("./fileStore.ts")).fileStore(settings),
    age: async () => (await import("./ageStore.ts")).ageStore(settings, readAny),
    sops: async () => (await import("./sopsStore.ts")).sopsStore(settings, readAny),
    credential: async () => (await import("./credentialStore.ts")).credentialStore(settings),
    keyring: async () => new (await import("./keyring/KeyringStore.ts")).KeyringStore(),
    exec: async () => (await import("./commandStore.ts")).commandStore(),
    env: async () => (await import("./environmentStore.ts")).environmentStore(environment),
  };
  return { read: readAny };
}
