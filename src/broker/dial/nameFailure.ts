import type { RefusalCode } from "../Refusal.ts";

/** Which of our codes a failed connection or request to an upstream is. */
export function nameFailure(error: unknown): RefusalCode {
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
