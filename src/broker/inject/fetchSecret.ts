import type { SecretValue } from "../../secrets/index.ts";
import type { Place } from "../../plan/index.ts";
import type { Deployment } from "../Deployment.ts";
import { BrokerError } from "../BrokerError.ts";
import { checkFit } from "./checkFit.ts";

/**
 * The value behind a secret's name, fit to be sent: printable ASCII (no line break can ever split
 * a header), no blank at either end, long enough to be found again in a reply without mistaking
 * other text for it.
 *
 * @param places where it is to be put; not every value fits everywhere.
 * @throws SecretError when the store can't give it; BrokerError `secret-unusable` when it doesn't
 * fit. Neither message holds anything of the value.
 */
export async function fetchSecret(
  deployment: Pick<Deployment, "secrets" | "store">,
  name: string,
  places: readonly Place[] = [],
): Promise<SecretValue> {
  const source = deployment.secrets.get(name);
  if (source === undefined)
    throw new BrokerError("config-invalid", `secret "${name}" is not configured`);
  const secret = await deployment.store.read(source);
  checkSecret(name, secret, places);
  return secret;
}

/** @throws BrokerError `secret-unusable`, as `fetchSecret`. */
export function checkSecret(name: string, secret: SecretValue, places: readonly Place[]): void {
  const value = secret.revealSecret();
  if (value.length < 8) {
    throw new BrokerError(
      "secret-unusable",
      `secret "${name}" is shorter than 8 characters, so replies can't be searched for it`,
      {
        hint: "use a longer credential",
      },
    );
  }
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])$/.test(value)) {
    throw new BrokerError(
      "secret-unusable",
      `secret "${name}" holds a line break, control or non-ASCII character, or a blank at an end`,
      {
        hint: `store it again: seawall secret set ${name}`,
      },
    );
  }
  checkFit(name, value, places);
}
