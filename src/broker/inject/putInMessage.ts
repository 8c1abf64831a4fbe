import { splice } from "../body/json.ts";
import type { SecretValue } from "../../secrets/index.ts";

/** A WebSocket message with the secret in the strings where the phantom stood. */
export function putInMessage(
  bytes: Buffer,
  placed: readonly {
    readonly place: { readonly prefix?: string };
    readonly start: number;
    readonly end: number;
  }[],
  secret: SecretValue,
): Buffer {
  return splice(
    bytes,
    placed.map(({ place, start, end }) => ({
      start,
      end,
      bytes: Buffer.from(JSON.stringify((place.prefix ?? "") + secret.revealSecret())),
    })),
  );
}
