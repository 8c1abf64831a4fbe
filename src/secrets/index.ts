export { SecretError, type SecretErrorCode } from "./SecretError.ts";
export type { SecretStore } from "./SecretStore.ts";
export { SecretValue } from "./SecretValue.ts";
export type { StoreHealth } from "./StoreHealth.ts";
export { fingerprintSecrets, type NamedSecret } from "./fingerprintSecrets.ts";
export { secretFromInput } from "./checkSecret.ts";
export { locateVault, newIdentityPath, type LocatedVault } from "./locateVault.ts";
export { openStores, type StoreSettings } from "./openStores.ts";
export {
  createVault,
  openVault,
  type StoredSecret,
  type Vault,
  type VaultLocation,
} from "./Vault.ts";
