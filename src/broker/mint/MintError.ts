import type { ErrorDetails } from "../../faults/index.ts";
import { BrokerError } from "../BrokerError.ts";
import { refuse, type Refusal, type RefusalCode } from "../Refusal.ts";

type MintErrorCode = Extract<RefusalCode, "mint-failed" | "mint-refused" | "audit-unwritable">;

/** Why there is no token, and what the call that needed one is answered. */
export class MintError extends BrokerError {
  readonly refusal: Refusal;

  /** @param retryAfterMs when it is worth asking again. */
  constructor(
    code: MintErrorCode,
    message: string,
    details: ErrorDetails & { readonly retryAfterMs?: number } = {},
  ) {
    super(code, message, details);
    const { retryAfterMs } = details;
    this.refusal = refuse(
      code,
      retryAfterMs === undefined ? {} : { retryAfter: Math.max(1, Math.ceil(retryAfterMs / 1000)) },
    );
  }

  /** The same for a call that comes while the endpoint is left alone. */
  again(retryAfterMs: number): MintError {
    const { message, hint } = this;
    return new MintError(this.refusal.refused as MintErrorCode, message, {
      ...(hint === undefined ? {} : { hint }),
      retryAfterMs,
    });
  }
}
