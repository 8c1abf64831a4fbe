import type { SecretValue } from "./SecretValue.ts";

/** Whether two values are the same, without giving either away. */
export function sameSecret(a: SecretValue, b: SecretValue): boolean {
  return a.revealSecret() === b.revealSecret();
}
