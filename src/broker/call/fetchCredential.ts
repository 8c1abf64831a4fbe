import type { Place } from "../../plan/index.ts";
import { SecretValue } from "../../secrets/index.ts";
import { isSigV4 } from "../decide/awsPlace.ts";
import type { Deployment, InjectBrokerGrant } from "../Deployment.ts";
import type { Credential } from "../inject/Credential.ts";
import { fetchAwsKey } from "../inject/fetchAwsKey.ts";
import { checkSecret, fetchSecret } from "../inject/fetchSecret.ts";
import type { MintCause } from "../mint/Minter.ts";
import type { BrokerParts, InForce } from "./BrokerParts.ts";

/**
 * What a call goes out with: a value from its store, a token that was made, or a key to sign with.
 *
 * @param places where the phantom stands in it.
 * @param cause whose call it is.
 * @throws MintError; SecretError and BrokerError as `fetchSecret`.
 */
export async function fetchCredential(
  { minter }: Pick<BrokerParts, "minter">,
  inForce: InForce,
  {
    secret: name,
    places: named,
    phantom,
  }: Pick<InjectBrokerGrant, "secret" | "places" | "phantom">,
  places: readonly Place[],
  cause: MintCause,
): Promise<Credential> {
  const { deployment } = inForce;
  // A service without a key gets what the bot holds, where a client insists on sending something.
  if (name === "") return { secret: new SecretValue(phantom), others: [] };
  if (!deployment.minted.has(name))
    return fetchStored(deployment, { secret: name, places: named }, places);
  const credential = await minter.get(inForce, name, cause);
  checkSecret(name, credential.secret, places);
  return credential;
}

/** The same of a grant whose secret isn't made: a value from its store, or a key to sign with. */
export async function fetchStored(
  deployment: Pick<Deployment, "secrets" | "store">,
  { secret: name, places: named }: Pick<InjectBrokerGrant, "secret" | "places">,
  places: readonly Place[] = [],
): Promise<Credential> {
  if (!named.some(isSigV4))
    return { secret: await fetchSecret(deployment, name, places), others: [] };
  const aws = await fetchAwsKey(deployment, name, Date.now());
  // The id is no secret, but no business of the bot's either.
  const others = [new SecretValue(aws.id), ...(aws.session === undefined ? [] : [aws.session])];
  return { secret: aws.secret, others, aws };
}
