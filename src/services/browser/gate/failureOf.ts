import { nameFailure } from "../../../broker/index.ts";
import type { WebRefusalCode } from "./WebRefusal.ts";

/** Which of our codes a failed lookup, connection or reply is. */
export function failureOf(error: unknown): WebRefusalCode {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "name-not-found";
  if (typeof code === "string" && /^(?:Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_PADDING)/.test(code))
    return "upstream-protocol";
  const failure = nameFailure(error);
  if (
    failure === "address-refused" ||
    failure === "upstream-untrusted" ||
    failure === "upstream-protocol"
  )
    return failure;
  return "upstream-unreachable";
}
