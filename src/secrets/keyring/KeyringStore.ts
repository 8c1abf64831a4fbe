import type { AsyncEntry } from "@napi-rs/keyring";
import type { SecretSource } from "../../plan/index.ts";
import { checkEntries, checkSecretName, secretFromStore } from "../checkSecret.ts";
import { SecretError } from "../SecretError.ts";
import type { SecretStore } from "../SecretStore.ts";
import type { SecretValue } from "../SecretValue.ts";
import type { StoredSecret, WritableStore } from "../WritableStore.ts";

type KeyringSource = Extract<SecretSource, { store: "keyring" }>;

/** Under which Seawall puts its own. nono's are under `nono`. */
export const OWN_SERVICE = "seawall";

/** A prompt that nobody answers must not hold up a start. */
const LIMIT_MS = 60_000;

/**
 * The desktop's keyring, by the Secret Service over D-Bus (GNOME Keyring, KWallet, KeePassXC), with
 * the attributes `service` and `username` that keyring-rs, secret-tool's users and nono go by. Never
 * the kernel's keyring, which the library would otherwise fall back to: that one forgets.
 */
export class KeyringStore implements SecretStore<KeyringSource>, WritableStore {
  readonly store = "keyring";
  readonly #service: string;

  constructor(service = OWN_SERVICE) {
    this.#service = service;
  }

  /** @throws SecretError `missing`, `keyring-absent`, `keyring-locked`, and as for any value */
  async read(of: KeyringSource | string): Promise<SecretValue> {
    const { service, account } =
      typeof of === "string" ? { service: this.#service, account: of } : of;
    const bytes = await this.#use(service, account, (entry, signal) => entry.getSecret(signal));
    if (bytes === null) throw missing(service, account);
    return secretFromStore(Buffer.from(bytes), `"${account}" in the keyring`);
  }

  async set(name: string, value: SecretValue): Promise<void> {
    await this.setAll(new Map([[name, value]]));
  }

  async setAll(entries: ReadonlyMap<string, SecretValue>): Promise<void> {
    checkEntries(entries);
    for (const [name, value] of entries) {
      const bytes = Buffer.from(value.revealSecret());
      await this.#use(this.#service, name, (entry, signal) => entry.setSecret(bytes, signal));
      bytes.fill(0);
    }
  }

  async rm(name: string): Promise<void> {
    checkSecretName(name);
    const removed = await this.#use(this.#service, name, (entry, signal) =>
      entry.deleteCredential(signal),
    );
    if (!removed) throw missing(this.#service, name);
  }

  async list(): Promise<StoredSecret[]> {
    // Opened first, for its clearer errors.
    await this.#use(this.#service, "seawall", (entry, signal) => entry.getSecret(signal));
    const { findCredentialsAsync } = await import("@napi-rs/keyring");
    const found = await findCredentialsAsync(this.#service).catch((cause: unknown) => {
      throw keyringError(cause);
    });
    return found
      .map(({ account }) => ({ name: account }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  declare(name: string): { keyring: string; service?: string } {
    return this.#service === OWN_SERVICE
      ? { keyring: name }
      : { keyring: name, service: this.#service };
  }

  async #use<T>(
    service: string,
    account: string,
    work: (entry: AsyncEntry, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { AsyncEntry } = await import("@napi-rs/keyring");
    const late = Promise.withResolvers<never>();
    const abort = new AbortController();
    const timer = setTimeout(() => {
      abort.abort();
      late.reject(
        new SecretError("keyring-locked", "the desktop's keyring did not open in time", {
          hint: "unlock it, then try again",
        }),
      );
    }, LIMIT_MS);
    try {
      const entry = new AsyncEntry(service, account, { linux: { store: "secret-service" } });
      return await Promise.race([work(entry, abort.signal), late.promise]);
    } catch (cause) {
      throw cause instanceof SecretError ? cause : keyringError(cause);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Which of its troubles it is can only be told by the library's wording; none of it is passed on. */
function keyringError(cause: unknown): SecretError {
  const text = cause instanceof Error ? cause.message : "";
  if (!/lock|prompt|access platform storage/i.test(text)) {
    return new SecretError("keyring-absent", "no keyring answers here", {
      hint: "a desktop session has one; on a server keep the secret in the vault",
    });
  }
  return new SecretError("keyring-locked", "the desktop's keyring is locked", {
    hint: "unlock it by logging in on the desktop, then try again",
  });
}

function missing(service: string, account: string): SecretError {
  return new SecretError("missing", `the keyring has no "${account}" for service "${service}"`, {
    hint:
      service === OWN_SERVICE
        ? `store it with: seawall secret set ${account} --store keyring`
        : `store it with: secret-tool store --label=${account} service ${service} username ${account}`,
  });
}
