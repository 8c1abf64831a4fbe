import type { BrokerMint } from "../BrokerConfig.ts";
import { DialError } from "../dial/DialError.ts";
import { UpstreamError } from "../http/UpstreamExchange.ts";
import { valuesOf } from "../match.ts";
import { describeRefusal } from "../Refusal.ts";
import { EndpointError, type TokenReply } from "./askEndpoint.ts";
import { MintError } from "./MintError.ts";
import { readGithubReply, readOauthError, readOauthReply, type Minted } from "./readTokenReply.ts";

/** What passes by itself is tried again soon, what needs the owner seldom: nobody is hammered. */
const SOON = { firstMs: 1000, mostMs: 60_000 };
const SELDOM = { firstMs: 60_000, mostMs: 3_600_000 };
const MOST_RETRY_AFTER_MS = 10 * 60_000;

/** A reply that is no token. */
class RefusedReply extends Error {
  readonly status: number;
  readonly oauthError: string | undefined;
  readonly retryAfterMs: number;

  constructor({ status, headers, body }: TokenReply) {
    super("the token endpoint says no");
    this.status = status;
    this.oauthError = readOauthError(body);
    const [retryAfter = ""] = valuesOf(headers, "retry-after");
    this.retryAfterMs = /^[0-9]{1,6}$/.test(retryAfter)
      ? Math.min(Number(retryAfter) * 1000, MOST_RETRY_AFTER_MS)
      : 0;
  }
}

/**
 * Reads what an endpoint answered.
 *
 * @param now by our clock, for endpoints that don't tell theirs.
 * @throws RefusedReply, EndpointError: for `describeMintFailure`.
 */
export function readMintReply({ mint }: BrokerMint, reply: TokenReply, now: number): Minted {
  if (reply.status !== 200 && reply.status !== 201) throw new RefusedReply(reply);
  const theirs = Date.parse(valuesOf(reply.headers, "date")[0] ?? "");
  const minted =
    mint.kind === "github-app"
      ? readGithubReply(reply.body, Number.isNaN(theirs) ? now : theirs)
      : readOauthReply(reply.body);
  if ("wrong" in minted) throw new EndpointError(minted.wrong);
  return minted;
}

/**
 * Why a token could not be had, for people, and how long to leave the endpoint alone.
 *
 * @param failures how often it failed before.
 */
export function describeMintFailure(
  minted: BrokerMint,
  error: unknown,
  failures: number,
): { readonly fault: MintError; readonly waitMs: number } {
  const { name } = minted;
  const host = minted.endpoint.host.name;
  const failed = (
    why: string,
    pace = SOON,
    leastMs = 0,
    hint?: string,
  ): ReturnType<typeof describeMintFailure> => ({
    fault: new MintError(
      "mint-failed",
      `secret "${name}" can't be made, so its calls are refused: ${why}`,
      hint === undefined ? {} : { hint },
    ),
    waitMs: Math.max(leastMs, paceOf(pace, failures)),
  });
  if (error instanceof DialError || error instanceof UpstreamError)
    return failed(`at ${host}, ${describeRefusal(error.refused).message}`);
  if (error instanceof EndpointError)
    return failed(`the reply of ${host} ${error.message}`, SELDOM);
  if (!(error instanceof RefusedReply)) return failed("a bug of the broker");
  const { status, oauthError, retryAfterMs } = error;
  if (status === 408 || status === 429 || status >= 500)
    return failed(`${host} answers ${status}`, SOON, retryAfterMs);
  if (status < 400)
    return failed(
      `${host} answers ${status}, and redirects are not followed`,
      SELDOM,
      0,
      "name the endpoint itself",
    );
  const said = oauthError === undefined ? String(status) : `${status}, ${oauthError}`;
  return {
    fault: new MintError(
      "mint-refused",
      `secret "${name}" can't be made, so its calls are refused: ${host} says no (${said})`,
      { hint: adviceFor(minted, oauthError) },
    ),
    waitMs: Math.max(retryAfterMs, paceOf(SELDOM, failures)),
  };
}

function paceOf({ firstMs, mostMs }: typeof SOON, failures: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures, 20), mostMs);
}

function adviceFor({ mint }: BrokerMint, oauthError: string | undefined): string {
  switch (mint.kind) {
    case "github-app":
      return `look at the App's id, its installation, and what it may do there; a new key is stored with: seawall secret set ${mint.privateKey}`;
    case "google-service-account":
      return oauthError === "unauthorized_client"
        ? "allow the service account these scopes in the Workspace's domain-wide delegation"
        : `look at the scopes, the subject and this machine's clock; a new key is stored with: seawall secret set ${mint.key}`;
    case "oauth2":
      break;
  }
  if (oauthError === "invalid_grant" && mint.refreshToken !== undefined)
    return `the refresh token serves no more: authorize anew and store what you get: seawall secret set ${mint.refreshToken}`;
  if (oauthError === "invalid_scope") return "ask for scopes that the provider knows";
  return mint.clientSecret === undefined
    ? "look at the client's id and what it may do"
    : `look at the client's id and what it may do; a new secret is stored with: seawall secret set ${mint.clientSecret}`;
}
