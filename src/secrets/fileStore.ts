import type { SecretSource } from "../plan/index.ts";
import { MAX_VALUE_BYTES, secretFromStore } from "./checkSecret.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { StoreSettings } from "./StoreSettings.ts";
import { readTrustedFile } from "./trustedFile.ts";

/** Plain files, as agenix and sops-nix decrypt them at run time. Owner, mode and place are checked. */
export function fileStore(
  settings: StoreSettings,
): SecretStore<Extract<SecretSource, { store: "file" }>> {
  return {
    read: async ({ path }) => {
      const { bytes, path: real } = await readTrustedFile(path, {
        what: "file",
        limit: MAX_VALUE_BYTES + 2,
        holds: "secret",
        botReadable: settings.botReadable ?? [],
      });
      return secretFromStore(bytes, `file "${real}"`);
    },
  };
}
