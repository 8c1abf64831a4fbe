import type { SecretSource } from "../plan/index.ts";
import { SecretError, type SecretErrorCode } from "./SecretError.ts";
import type { StoreSettings } from "./StoreSettings.ts";

/**
 * What the broker asks a store process for: the values of `sources`, each sealed to `key`. It passes
 * through the supervisor, which can open nothing of the answer (invariant 1).
 */
export interface StoreRequest {
  readonly sources: readonly SecretSource[];
  /** Raw X25519 public key, base64, made for this one request. */
  readonly key: string;
}

/** What the supervisor adds for the store process. */
export interface StoreOrder extends StoreRequest {
  readonly settings: StoreSettings;
}

/** In the order of the sources: each a sealed value, base64, or why there is none. */
export type StoreResult =
  | { readonly sealed: string }
  | { readonly code: SecretErrorCode; readonly message: string; readonly hint?: string };

/** A SecretError as it crosses to another process, without its cause. */
export function toResult({ code, message, hint }: SecretError): StoreResult {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

export function toError(result: Exclude<StoreResult, { sealed: string }>): SecretError {
  const { code, message, hint } = result;
  return new SecretError(code, message, hint === undefined ? {} : { hint });
}
