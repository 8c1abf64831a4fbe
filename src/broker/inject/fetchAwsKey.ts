import { SecretValue } from "../../secrets/index.ts";
import { BrokerError } from "../BrokerError.ts";
import type { Deployment } from "../Deployment.ts";

/** What AWS knows an account by. Only a signature made with it ever leaves, and the session's token. */
export interface AwsKey {
  readonly id: string;
  readonly secret: SecretValue;
  readonly session?: SecretValue;
}

/**
 * Reads a secret as credentials of AWS: JSON as `aws configure export-credentials`, `aws sts
 * assume-role` or `aws iam create-access-key` print it, or lines as in `~/.aws/credentials` or an
 * environment. Id and secret are one value, so that they can only change together.
 *
 * @param now milliseconds since 1970.
 * @throws SecretError when the store can't give it; BrokerError `secret-unusable`. Neither message holds
 * anything of the value.
 */
export async function fetchAwsKey(
  deployment: Pick<Deployment, "secrets" | "store">,
  name: string,
  now: number,
): Promise<AwsKey> {
  const source = deployment.secrets.get(name);
  if (source === undefined)
    throw new BrokerError("config-invalid", `secret "${name}" is not configured`);
  const text = (await deployment.store.read(source)).revealSecret();
  const fields = text.trimStart().startsWith("{") ? readJson(text) : readLines(text);
  const { id, secret, session, until } = fields;
  if (id === undefined || secret === undefined)
    throw unusable(name, "doesn't hold an access key of AWS: its id and its secret");
  if (!/^[A-Za-z0-9._-]{8,128}$/.test(id) || !/^[\x21-\x7e]{8,512}$/.test(secret))
    throw unusable(name, "holds an access key that can't be one of AWS");
  if (session !== undefined && !/^[\x21-\x7e]{8,16384}$/.test(session))
    throw unusable(name, "holds a session token that can't be sent");
  if (until !== undefined && !(Date.parse(until) > now))
    throw unusable(name, "holds an access key that has expired");
  return {
    id,
    secret: new SecretValue(secret),
    ...(session === undefined ? {} : { session: new SecretValue(session) }),
  };
}

interface Fields {
  readonly id?: string;
  readonly secret?: string;
  readonly session?: string;
  readonly until?: string;
}

function readJson(text: string): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return {};
  }
  const outer = parsed as Record<string, unknown>;
  const inner = outer["Credentials"] ?? outer["AccessKey"] ?? outer;
  if (inner === null || typeof inner !== "object") return {};
  const fields = inner as Record<string, unknown>;
  return pick(
    (name) => {
      const value = fields[name];
      return typeof value === "string" && value !== "" ? value : undefined;
    },
    ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"],
  );
}

/** The first line of each name counts, whatever section it stands in. */
function readLines(text: string): Fields {
  return pick(
    (name) =>
      new RegExp(
        String.raw`^[ \t]*(?:export[ \t]+)?${name}[ \t]*=[ \t]*["']?([^\s"']+)["']?[ \t]*$`,
        "im",
      ).exec(text)?.[1],
    [
      "aws_access_key_id",
      "aws_secret_access_key",
      "aws_session_token",
      "aws_credential_expiration",
    ],
  );
}

function pick(
  get: (name: string) => string | undefined,
  [id, secret, session, until]: readonly [string, string, string, string],
): Fields {
  const found = { id: get(id), secret: get(secret), session: get(session), until: get(until) };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function unusable(name: string, what: string): BrokerError {
  return new BrokerError("secret-unusable", `secret "${name}" ${what}`, {
    hint: `store both together: aws configure export-credentials | seawall secret set ${name}`,
  });
}
