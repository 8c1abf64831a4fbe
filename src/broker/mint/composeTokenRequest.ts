import type { SecretValue } from "../../secrets/index.ts";
import { BrokerError } from "../BrokerError.ts";
import type { BrokerMint } from "../BrokerConfig.ts";
import { readServiceAccount } from "./readServiceAccount.ts";
import { readRsaKey, signJwt } from "./signJwt.ts";
import type { TokenRequest } from "./askEndpoint.ts";

/** The values that a secret is made from, by the names of their secrets. */
export type Material = ReadonlyMap<string, SecretValue>;

/** What is asked, and which values of the material are sent and so might come back. */
export interface Composed {
  readonly request: TokenRequest;
  readonly sent: readonly SecretValue[];
}

const FORM = ["Content-Type", "application/x-www-form-urlencoded"] as const;
const JSON_REPLY = ["Accept", "application/json"] as const;
const BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** An assertion that was made a moment ago by a clock that is behind is not of the future. */
const SKEW_S = 60;
/** Google takes at most an hour, GitHub ten minutes. */
const GOOGLE_ASSERTION_S = 3600;
const GITHUB_ASSERTION_S = 600;

/**
 * Makes the request to a token endpoint.
 *
 * @param refreshToken takes the place of the stored one, where the provider gave another since.
 * @param now milliseconds since 1970.
 * @throws BrokerError `secret-unusable`, nothing of the material in it.
 */
export function composeTokenRequest(
  { name, mint, endpoint }: BrokerMint,
  material: Material,
  refreshToken: SecretValue | undefined,
  now: number,
): Composed {
  const get = (secret: string): SecretValue => {
    const value = material.get(secret);
    if (value === undefined)
      throw new BrokerError("config-invalid", `secret "${secret}" is not configured`);
    return value;
  };
  const seconds = Math.floor(now / 1000) - SKEW_S;
  switch (mint.kind) {
    case "oauth2": {
      const secret = mint.clientSecret === undefined ? undefined : get(mint.clientSecret);
      const refresh =
        mint.refreshToken === undefined ? undefined : (refreshToken ?? get(mint.refreshToken));
      const id = mint.clientId;
      const password = secret === undefined ? undefined : sendable(mint.clientSecret, secret);
      const form = new URLSearchParams(mint.parameters);
      form.set("grant_type", refresh === undefined ? "client_credentials" : "refresh_token");
      if (refresh !== undefined) form.set("refresh_token", sendable(mint.refreshToken, refresh));
      if (mint.scopes.length > 0) form.set("scope", mint.scopes.join(" "));
      const headers = [FORM, JSON_REPLY];
      if (password !== undefined && mint.clientAuthentication === "basic") {
        // RFC 6749 section 2.3.1: both halves are form-encoded first.
        const pair = `${formEncode(id)}:${formEncode(password)}`;
        const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
        return {
          request: {
            headers: [...headers, ["Authorization", authorization]],
            body: form.toString(),
          },
          sent: [secret, refresh].filter((each) => each !== undefined),
        };
      }
      form.set("client_id", id);
      if (password !== undefined) form.set("client_secret", password);
      return {
        request: { headers, body: form.toString() },
        sent: [secret, refresh].filter((each) => each !== undefined),
      };
    }
    case "google-service-account": {
      const audience = `https://${endpoint.host.name}${endpoint.path}`;
      const account = readServiceAccount(get(mint.key).revealSecret(), audience);
      if ("wrong" in account) throw unusable(name, mint.key, account.wrong);
      const assertion = signJwt(
        account.key,
        {
          iss: account.email,
          scope: mint.scopes.join(" "),
          aud: audience,
          iat: seconds,
          exp: seconds + GOOGLE_ASSERTION_S,
          ...(mint.subject === undefined ? {} : { sub: mint.subject }),
        },
        { kid: account.keyId },
      );
      const form = new URLSearchParams({ grant_type: BEARER_GRANT, assertion });
      return { request: { headers: [FORM, JSON_REPLY], body: form.toString() }, sent: [] };
    }
    case "github-app": {
      const key = readRsaKey(get(mint.privateKey).revealSecret());
      if ("wrong" in key) throw unusable(name, mint.privateKey, key.wrong);
      const jwt = signJwt(key, {
        iss: mint.appId,
        iat: seconds,
        exp: seconds + GITHUB_ASSERTION_S,
      });
      const { repositories, permissions } = mint;
      return {
        request: {
          headers: [
            ["Content-Type", "application/json"],
            ["Accept", "application/vnd.github+json"],
            ["X-GitHub-Api-Version", "2022-11-28"],
            ["Authorization", `Bearer ${jwt}`],
          ],
          body: JSON.stringify({
            ...(repositories === undefined ? {} : { repositories }),
            ...(permissions === undefined ? {} : { permissions }),
          }),
        },
        sent: [],
      };
    }
    default:
      return mint satisfies never;
  }
}

/** A line break at the end of a token is a mistake that no endpoint would name. */
function sendable(name: string | undefined, secret: SecretValue): string {
  const value = secret.revealSecret();
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw new BrokerError(
    "secret-unusable",
    `secret "${name ?? ""}" is empty or holds a line break, control or non-ASCII character`,
    { hint: `store it again: seawall secret set ${name ?? "NAME"}` },
  );
}

function formEncode(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2);
}

function unusable(name: string, material: string, wrong: string): BrokerError {
  return new BrokerError(
    "secret-unusable",
    `secret "${name}" can't be made: secret "${material}" ${wrong}`,
    { hint: `store the file as the provider gave it: seawall secret set ${material}` },
  );
}
