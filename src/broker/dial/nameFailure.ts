import type { RefusalCode } from "../Refusal.ts";
import { DialError } from "./DialError.ts";

/** Which of our codes a failed connection or request to an upstream is. */
export function nameFailure(error: unknown): RefusalCode {
  if (error instanceof DialError) return error.refused;
  const code = errorCode(error);
  if (code === "SEAWALL_ADDRESS_REFUSED") return "address-refused";
  if (/^(?:HPE_|ERR_HTTP|ERR_INVALID)/.test(code)) return "upstream-protocol";
  if (
    /CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME|^ERR_TLS|^ERR_SSL|^EPROTO|^CRL_|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE/.test(
      code,
    )
  ) {
    return "upstream-untrusted";
  }
  return "upstream-unreachable";
}

/**
 * Whether a TLS handshake failed because the connection did, rather than because of what the peer
 * said or showed. Everything that isn't known to be the network counts as distrust: OpenSSL has many
 * reasons, some of which Node gives no code of their own (`UNSPECIFIED`).
 */
export function isNetworkFailure(error: unknown): boolean {
  return /^(?:ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EHOSTDOWN)$/.test(
    errorCode(error),
  );
}

/** The `code` of an error of Node's, or an empty text. */
export function errorCode(error: unknown): string {
  if (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    typeof error.code === "string"
  )
    return error.code;
  return "";
}
