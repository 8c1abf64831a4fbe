import { SecretValue } from "../../secrets/index.ts";

/** What an endpoint gave. */
export interface Minted {
  readonly token: SecretValue;
  /** From the moment of the reply. */
  readonly lifetimeMs: number;
  /** The refresh token that takes the place of the one that was sent. */
  readonly refreshToken?: SecretValue;
}

/** RFC 6749 section 5.1 recommends `expires_in` only; without it nothing is known. */
const UNSAID_MS = 5 * 60_000;
/** A token that claims to be good for longer is asked for again all the same. */
const LONGEST_MS = 24 * 60 * 60_000;
/** One that claims less is used for so long all the same: a bot's calls must not make a flood of questions. */
const SHORTEST_MS = 5000;
/** Above that headers would be refused anyway. */
const TOKEN = /^[\x21-\x7e]{8,8192}$/;

/**
 * Reads the success of an OAuth 2.0 token endpoint (RFC 6749 section 5.1), strictly.
 *
 * @returns in plain words what is wrong with it, nothing of it quoted.
 */
export function readOauthReply(body: string): Minted | { readonly wrong: string } {
  const fields = readObject(body);
  if (fields === undefined) return { wrong: "is not a JSON object" };
  const token = fields["access_token"];
  const type = fields["token_type"];
  const next = fields["refresh_token"];
  if (typeof token !== "string" || !TOKEN.test(token))
    return { wrong: 'has no "access_token" that could be sent' };
  if (typeof type !== "string" || type.toLowerCase() !== "bearer")
    return { wrong: "gives a token of another type than Bearer" };
  if (next !== undefined && next !== null && (typeof next !== "string" || !TOKEN.test(next)))
    return { wrong: 'has a "refresh_token" that could not be sent' };
  const lifetimeMs = readExpiresIn(fields["expires_in"]);
  if (lifetimeMs === undefined) return { wrong: 'has an "expires_in" that is no time' };
  return {
    token: new SecretValue(token),
    lifetimeMs,
    ...(typeof next === "string" ? { refreshToken: new SecretValue(next) } : {}),
  };
}

/**
 * Reads GitHub's reply to POST /app/installations/{id}/access_tokens.
 *
 * @param now by the clock of the server, whose `expires_at` it is compared with.
 */
export function readGithubReply(body: string, now: number): Minted | { readonly wrong: string } {
  const fields = readObject(body);
  if (fields === undefined) return { wrong: "is not a JSON object" };
  const token = fields["token"];
  const expires = fields["expires_at"];
  if (typeof token !== "string" || !TOKEN.test(token))
    return { wrong: 'has no "token" that could be sent' };
  const until = typeof expires === "string" ? Date.parse(expires) : Number.NaN;
  if (!(until > now)) return { wrong: 'has an "expires_at" that is no time to come' };
  return { token: new SecretValue(token), lifetimeMs: bound(until - now) };
}

/** The `error` of a refusal (RFC 6749 section 5.2), if it is one of the words that stand there. */
export function readOauthError(body: string): string | undefined {
  const error = readObject(body)?.["error"];
  return typeof error === "string" && ERRORS.has(error) ? error : undefined;
}

/** What a provider writes there may hold anything, so only words that are known are repeated. */
const ERRORS: ReadonlySet<string> = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
  "invalid_target",
  "access_denied",
  "admin_policy_enforced",
  "org_internal",
  "interaction_required",
  "consent_required",
  "login_required",
]);

/** Some providers send the number as text. */
function readExpiresIn(value: unknown): number | undefined {
  if (value === undefined || value === null) return UNSAID_MS;
  const seconds = typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds > 0)) return undefined;
  return bound(seconds * 1000);
}

function bound(lifetimeMs: number): number {
  return Math.max(SHORTEST_MS, Math.min(lifetimeMs, LONGEST_MS));
}

function readObject(body: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return parsed !== null && typeof parsed === "object" && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
