import { dirname, join } from "node:path";
import type { SecretSource } from "../plan/index.ts";
import { MAX_VALUE_BYTES, secretFromStore } from "./checkSecret.ts";
import { runForSecret } from "./runForSecret.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { StoreSettings } from "./StoreSettings.ts";
import { readTrustedFile } from "./trustedFile.ts";

/**
 * systemd's credentials (systemd.exec(5), LoadCredential=): what the service manager has put into
 * `$CREDENTIALS_DIRECTORY`, or a file made by `systemd-creds encrypt --name=NAME`, which takes the
 * host's key or its TPM to open.
 */
export function credentialStore(
  settings: StoreSettings,
): SecretStore<Extract<SecretSource, { store: "credential" }>> {
  return {
    read: async ({ name, path }) => {
      if (path !== undefined) return decrypt(name, path);
      const folder = settings.credentials;
      if (folder === undefined) {
        throw new SecretError("missing", `there is no credential "${name}": no service manager`, {
          hint: `start Seawall as a unit with LoadCredential=${name}, or name an encrypted file`,
        });
      }
      const { bytes } = await readTrustedFile(join(folder, name), {
        what: "credential",
        limit: MAX_VALUE_BYTES + 2,
        holds: "secret",
        acl: true,
      });
      return secretFromStore(bytes, `credential "${name}"`);
    },
  };

  async function decrypt(name: string, path: string) {
    const { bytes, path: real } = await readTrustedFile(path, {
      what: "credential",
      limit: 4 * MAX_VALUE_BYTES,
      holds: "encrypted",
    });
    const value = await runForSecret(["systemd-creds", "decrypt", `--name=${name}`, "-", "-"], {
      input: bytes,
      cwd: dirname(real),
    }).catch((error: unknown) => {
      if (!(error instanceof SecretError) || error.code !== "command-failed") throw error;
      throw new SecretError("damaged", `credential "${real}" can't be opened as "${name}"`, {
        hint: "it was altered, has another name, or was made with another machine's key",
      });
    });
    return secretFromStore(value, `credential "${name}"`);
  }
}
