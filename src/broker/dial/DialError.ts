import type { RefusalCode } from "../Refusal.ts";

/** Why there is no connection to an upstream. The message is for developers and holds nothing secret. */
export class DialError extends Error {
  readonly refused: RefusalCode;

  constructor(refused: RefusalCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.refused = refused;
  }
}
