import type { Place } from "../../plan/index.ts";
import { BrokerError } from "../BrokerError.ts";

/**
 * Whether a secret can stand in a place at all: a cookie has no quotes, commas, semicolons,
 * backslashes or blanks (RFC 6265 section 4.1.1), a Basic user no colon (RFC 7617).
 *
 * @throws BrokerError `secret-unusable`; the message holds nothing of the value.
 */
export function checkFit(name: string, value: string, places: readonly Place[]): void {
  for (const place of places) {
    if (place.in === "cookie" && /[\s",;\\]/.test(value))
      throw unfit(name, "a character that no cookie can have");
    if (place.in === "basic" && place.part === "user" && value.includes(":"))
      throw unfit(name, "a colon, which would end the user's name");
  }
}

function unfit(name: string, what: string): BrokerError {
  return new BrokerError("secret-unusable", `secret "${name}" holds ${what}`, {
    hint: "name another place for it, or store it again",
  });
}
