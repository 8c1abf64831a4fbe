import type { KeyObject } from "node:crypto";
import { readRsaKey } from "./signJwt.ts";

export interface ServiceAccount {
  readonly email: string;
  readonly keyId: string;
  readonly key: KeyObject;
}

/**
 * Reads the JSON that Google's console gives for a service account's key.
 *
 * @param endpoint what its `token_uri` has to be: whoever could write another one there would be sent
 * signed assertions.
 * @returns in plain words what is wrong with it, nothing of it quoted.
 */
export function readServiceAccount(
  text: string,
  endpoint: string,
): ServiceAccount | { readonly wrong: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { wrong: "is not JSON" };
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed))
    return { wrong: "is JSON, but not a service account's key" };
  const fields = parsed as Record<string, unknown>;
  if (fields["type"] !== "service_account")
    return { wrong: `is JSON, but not a key of type "service_account"` };
  const email = fields["client_email"];
  const keyId = fields["private_key_id"];
  const pem = fields["private_key"];
  if (typeof email !== "string" || !/^[\x21-\x7e]{3,320}$/.test(email) || !email.includes("@"))
    return { wrong: 'is a service account\'s key without a usable "client_email"' };
  if (typeof keyId !== "string" || !/^[\x21-\x7e]{1,256}$/.test(keyId))
    return { wrong: 'is a service account\'s key without a usable "private_key_id"' };
  if (typeof pem !== "string")
    return { wrong: 'is a service account\'s key without "private_key"' };
  const uri = fields["token_uri"];
  if (uri !== undefined && uri !== endpoint)
    return { wrong: "is a service account's key whose \"token_uri\" is not Google's" };
  const key = readRsaKey(pem);
  return "wrong" in key
    ? { wrong: `has a "private_key" that ${key.wrong}` }
    : { email, keyId, key };
}
