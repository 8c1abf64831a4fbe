import type * as Tools from "./tools.ts";

export { SecretError, type SecretErrorCode } from "./SecretError.ts";
export type { SecretStore } from "./SecretStore.ts";
export { SecretValue } from "./SecretValue.ts";
export type { StoreHealth } from "./StoreHealth.ts";
export { sameSecret } from "./sameSecret.ts";
export { fingerprintSecrets, type NamedSecret } from "./fingerprintSecrets.ts";
export { secretFromInput } from "./checkSecret.ts";
export { locateVault, newIdentityPath, type LocatedVault } from "./locateVault.ts";
export { openDirect } from "./openDirect.ts";
export { openStores, type OpenStores, type StoreSurroundings } from "./openStores.ts";
export { openServiceStores, type ServiceStoreSettings } from "./openServiceStores.ts";
export type { StoreSettings } from "./StoreSettings.ts";
export { watchedPaths } from "./watchedPaths.ts";
export type { AskHelper } from "./HelperStore.ts";
export { PRIVATE_ADDON, protectMemory } from "./protectMemory.ts";
export { toError, type StoreOrder, type StoreRequest, type StoreResult } from "./StoreRequest.ts";
export { createVault, openVault, type Vault, type VaultLocation } from "./Vault.ts";
export { openWritableStore, type WritableLocation } from "./openWritableStore.ts";
export {
  WRITABLE_STORES,
  type StoredSecret,
  type WritableStore,
  type WritableStoreName,
} from "./WritableStore.ts";

/** What only commands do. Loaded by whoever asks for it: the broker, which must not hold code that executes, never does. */
export function openTools(): Promise<typeof Tools> {
  return import("./tools.ts");
}
