import type { SecretSource } from "../plan/index.ts";
import { decryptAgeWithAny, type Decrypted } from "./age/decryptAge.ts";
import { readAgeKeys } from "./age/readAgeKeys.ts";
import { MAX_VALUE_BYTES, secretFromStore } from "./checkSecret.ts";
import { SecretError } from "./SecretError.ts";
import type { SecretStore } from "./SecretStore.ts";
import type { SecretValue } from "./SecretValue.ts";
import type { StoreSettings } from "./StoreSettings.ts";
import { readTrustedFile } from "./trustedFile.ts";

/** Armor, and a header with many recipients, come on top of the value. */
const LIMIT = 4 * MAX_VALUE_BYTES;

/**
 * Files encrypted with age, each one value: by an identity file, an SSH key (as agenix has it) or a
 * passphrase.
 *
 * @param readOther reads the passphrase, which is a secret in another store.
 */
export function ageStore(
  settings: StoreSettings,
  readOther: (source: SecretSource) => Promise<SecretValue>,
): SecretStore<Extract<SecretSource, { store: "age" }>> {
  return {
    read: async (source) => {
      const { path, identity } = source;
      const passphrase =
        source.passphrase === undefined ? undefined : await readOther(source.passphrase);
      const { bytes, path: real } = await readTrustedFile(path, {
        what: "age file",
        limit: LIMIT,
        holds: "encrypted",
      });
      const keys =
        identity === undefined
          ? [{ passphrase: passphrase?.revealSecret() ?? "" }]
          : await readAgeKeys({
              path: identity,
              botReadable: settings.botReadable ?? [],
              ...(passphrase === undefined ? {} : { passphrase }),
            });
      const opened = await decryptAgeWithAny(bytes, keys);
      return secretFromStore(textOf(opened, real, identity), `age file "${real}"`);
    },
  };
}

/** @throws SecretError that says which way it failed. */
export function textOf(opened: Decrypted, path: string, identity: string | undefined): Buffer {
  if ("text" in opened) return opened.text;
  if (opened.fault === "damaged") {
    throw new SecretError("damaged", `age file "${path}" is damaged`, {
      hint: "take it from a backup or from git again",
    });
  }
  throw identity === undefined
    ? new SecretError("wrong-passphrase", `that passphrase doesn't open age file "${path}"`, {
        hint: "try again",
      })
    : new SecretError("wrong-recipient", `age file "${path}" was not encrypted for "${identity}"`, {
        hint: "encrypt it for this identity too (agenix --rekey, sops updatekeys, age -r)",
      });
}
