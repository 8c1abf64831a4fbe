import type { Place } from "../../plan/index.ts";
import type { Credential } from "../inject/Credential.ts";
import { checkSecret, fetchSecret } from "../inject/fetchSecret.ts";
import type { MintCause } from "../mint/Minter.ts";
import type { BrokerParts, InForce } from "./BrokerParts.ts";

/**
 * What a call goes out with: a value from its store, or a token that was made.
 *
 * @param cause whose call it is.
 * @throws MintError; SecretError and BrokerError as `fetchSecret`.
 */
export async function fetchCredential(
  { minter }: Pick<BrokerParts, "minter">,
  inForce: InForce,
  name: string,
  places: readonly Place[],
  cause: MintCause,
): Promise<Credential> {
  const { deployment } = inForce;
  if (!deployment.minted.has(name))
    return { secret: await fetchSecret(deployment, name, places), others: [] };
  const credential = await minter.get(inForce, name, cause);
  checkSecret(name, credential.secret, places);
  return credential;
}
