import { SecretError } from "./SecretError.ts";
import { SecretValue } from "./SecretValue.ts";

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Largest value in bytes of UTF-8. A service-account file has 3 KiB, a big PEM chain 20. */
export const MAX_VALUE_BYTES = 64 * 1024;

/**
 * @throws SecretError `invalid-name`. The message does not repeat the name: somebody who mixes up
 * the order of arguments has typed the value there.
 */
export function checkSecretName(name: string): void {
  if (!NAME.test(name)) {
    throw new SecretError("invalid-name", "that is not a name a secret can have", {
      hint: "use 1 to 63 of: lower-case letters, digits, dot, underscore, hyphen; begin with a letter or digit",
    });
  }
}

/**
 * @throws SecretError `empty-value`, `oversized-value`; `invalid-value` when it is not Unicode or
 * holds a NUL
 */
export function checkSecretValue(value: SecretValue): void {
  const text = value.revealSecret();
  if (text === "") throw new SecretError("empty-value", "that value can't be stored: it is empty");
  if (Buffer.byteLength(text) > MAX_VALUE_BYTES) throw oversized("that value can't be stored");
  const fault = !text.isWellFormed()
    ? "it is not valid Unicode"
    : text.includes("\0")
      ? "it has a NUL in it"
      : undefined;
  if (fault !== undefined) {
    throw new SecretError("invalid-value", `that value can't be stored: ${fault}`);
  }
}

/** Names and values that are to be stored together. @throws SecretError as the two above */
export function checkEntries(entries: ReadonlyMap<string, SecretValue>): void {
  for (const [name, value] of entries) {
    checkSecretName(name);
    checkSecretValue(value);
  }
}

/** @param what begins the message, as `that value can't be stored`. */
export function oversized(what: string): SecretError {
  return new SecretError(
    "oversized-value",
    `${what}: it is longer than ${MAX_VALUE_BYTES / 1024} KiB`,
  );
}

/**
 * Makes a value of what a person piped or typed in: UTF-8, without the one line end that `echo` and
 * editors put behind it.
 *
 * `bytes` is wiped.
 *
 * @throws SecretError as `checkSecretValue`; `invalid-value` also when the bytes are not UTF-8
 */
export function secretFromInput(bytes: Uint8Array): SecretValue {
  if (bytes.length > MAX_VALUE_BYTES + 2) throw oversized("that value can't be stored");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SecretError("invalid-value", "that value can't be stored: it is not UTF-8", {
      hint: "store binary secrets as base64",
    });
  } finally {
    bytes.fill(0);
  }
  const value = new SecretValue(text.replace(/\r?\n$/, ""));
  checkSecretValue(value);
  return value;
}

/**
 * Makes a value of the bytes that a store gave, less one line end: editors and `echo` put it there,
 * and no credential ends with one. `bytes` is wiped.
 *
 * @param what names the place in errors, as `file "/run/secrets/x"`.
 * @throws SecretError `empty-value`, `oversized-value`; `invalid-value` when it is not UTF-8 or holds
 * a NUL
 */
export function secretFromStore(bytes: Uint8Array, what: string): SecretValue {
  try {
    if (bytes.length > MAX_VALUE_BYTES + 2) throw oversized(`${what} can't be a secret`);
    return secretFromInput(bytes);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    const message = error.message.replace(
      "that value can't be stored",
      `${what} can't be a secret`,
    );
    throw new SecretError(error.code, message);
  } finally {
    bytes.fill(0);
  }
}
