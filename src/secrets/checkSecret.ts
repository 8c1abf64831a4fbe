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

/** @throws SecretError `invalid-value` when it is empty, too long, not Unicode, or holds a NUL. */
export function checkSecretValue(value: SecretValue): void {
  const text = value.revealSecret();
  const fault =
    text === ""
      ? "it is empty"
      : !text.isWellFormed()
        ? "it is not valid Unicode"
        : text.includes("\0")
          ? "it has a NUL in it"
          : Buffer.byteLength(text) > MAX_VALUE_BYTES
            ? `it is longer than ${MAX_VALUE_BYTES / 1024} KiB`
            : undefined;
  if (fault !== undefined) {
    throw new SecretError("invalid-value", `that value can't be stored: ${fault}`);
  }
}

/**
 * Makes a value of what a person piped or typed in: UTF-8, without the one line end that `echo` and
 * editors put behind it.
 *
 * @throws SecretError `invalid-value`, also when the bytes are not UTF-8
 */
export function secretFromInput(bytes: Uint8Array): SecretValue {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SecretError("invalid-value", "that value can't be stored: it is not UTF-8", {
      hint: "store binary secrets as base64",
    });
  }
  const value = new SecretValue(text.replace(/\r?\n$/, ""));
  checkSecretValue(value);
  return value;
}
