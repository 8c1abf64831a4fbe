import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import type { PhantomIndex } from "../phantoms.ts";
import { refuse, type Refusal } from "../Refusal.ts";
import { isAlike } from "./alike.ts";
import type { Found } from "./findCredential.ts";
import { carries, headersOf, readBasic } from "./headerPlaces.ts";
import { readQuery } from "./queryPlaces.ts";

/**
 * Headers that carry a credential for some service. One that the grant does not name would reach the
 * upstream as somebody else's account, so it is refused rather than forwarded.
 */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "x-authorization",
  "cookie",
  "cookie2",
  "x-api-key",
  "api-key",
  "apikey",
  "x-apikey",
  "x-api-token",
  "x-auth-token",
  "x-auth-key",
  "x-access-token",
  "x-goog-api-key",
  "x-goog-iam-authorization-token",
  "x-amz-security-token",
  "x-subscription-token",
  "x-rapidapi-key",
  "x-functions-key",
  "x-vault-token",
  "x-plex-token",
  "x-figma-token",
  "x-shopify-access-token",
  "ocp-apim-subscription-key",
  "private-token",
  "job-token",
  "deploy-token",
]);

/**
 * Query fields that carry one: keys and tokens as services name them, RFC 6750's access_token,
 * passwords, and the signatures of signed URLs, which are the whole credential of a call. `key`,
 * `token` and `auth` mean something else to a few services; there, a rule of the grant that names the
 * field in its own query lets it pass. Fields of bodies are not looked at beside the named ones.
 */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  "key",
  "apikey",
  "accesskey",
  "accesskeyid",
  "awsaccesskeyid",
  "googleaccessid",
  "subscriptionkey",
  "token",
  "accesstoken",
  "authtoken",
  "oauthtoken",
  "apitoken",
  "bearertoken",
  "idtoken",
  "sessiontoken",
  "privatetoken",
  "jobtoken",
  "refreshtoken",
  "clientsecret",
  "auth",
  "authorization",
  "authsig",
  "sig",
  "signature",
  "password",
  "passwd",
  "pwd",
  "apipassword",
  "sessionid",
  "phpsessid",
  "jsessionid",
  "xapikey",
  "xauthtoken",
  "xgoogapikey",
  "xplextoken",
  "xamzsignature",
  "xamzcredential",
  "xamzsecuritytoken",
  "xgoogsignature",
  "xgoogcredential",
]);

/** Looks everywhere but in the places where the phantom rightly stood. */
export function findStray(
  { bot, grant }: Granted & { readonly grant: InjectBrokerGrant },
  call: Call,
  found: Found,
  phantoms: PhantomIndex,
): Refusal | undefined {
  const texts = [found.path, call.method, ...found.beside, ...queryTexts(call, found)];
  const misplaced = (text: string): Refusal | undefined => {
    const phantom = phantoms.find(text);
    if (phantom === undefined) return undefined;
    return refuse(isOwn(grant, phantom) ? "phantom-misplaced" : "foreign-phantom");
  };
  const named = headersOf(grant.places);
  const hyphened = new Set([...named].map((name) => name.replaceAll("_", "-")));
  for (const [name, value] of call.headers) {
    const lower = name.toLowerCase();
    texts.push(name);
    if (named.has(lower)) continue;
    texts.push(value);
    // Servers behind CGI and its kin read an underscore as a hyphen.
    const alike = lower.includes("_") ? lower.replaceAll("_", "-") : lower;
    if (CREDENTIAL_HEADERS.has(alike) || hyphened.has(alike))
      return misplaced(value) ?? misplaced(undoBasic(value)) ?? refuse("foreign-credential");
  }
  for (const text of texts) {
    const refusal = misplaced(text);
    if (refusal !== undefined) return refusal;
  }
  if (call.query.length > 1 && hasForeignField(grant, call.query, found))
    return refuse("foreign-credential");
  if (call.content !== undefined && phantoms.hasForeign(bot, call.content.bytes))
    return refuse("foreign-phantom-in-body");
  return undefined;
}

/** Names what was found instead of the phantom: it may be another grant's, or this one's in the wrong form. */
export function explainForeign(
  grant: InjectBrokerGrant,
  call: Call,
  phantoms: PhantomIndex,
): Refusal {
  for (const [name, value] of call.headers) {
    if (isRight(grant, name.toLowerCase(), value)) continue;
    const phantom = phantoms.find(value) ?? phantoms.find(undoBasic(value));
    if (phantom !== undefined)
      return refuse(isOwn(grant, phantom) ? "phantom-misplaced" : "foreign-phantom");
  }
  return refuse("foreign-credential");
}

function isOwn(grant: InjectBrokerGrant, phantom: string): boolean {
  return phantom === grant.phantom || phantom === grant.phantomSecret;
}

function isRight({ places, phantom }: InjectBrokerGrant, name: string, value: string): boolean {
  return places.some(
    (place) =>
      place.in === "header" && place.name === name && carries(value, place.prefix, phantom),
  );
}

function undoBasic(value: string): string {
  const pair = readBasic(value);
  return pair === undefined ? "" : `${pair.user}\n${pair.password}`;
}

/** The query less the values in which the phantom rightly stands. */
function queryTexts(call: Call, found: Found): string[] {
  const out: string[] = [];
  let at = 0;
  for (const each of found.placed) {
    if (each.place.in !== "query" || !("start" in each)) continue;
    out.push(call.query.slice(at, each.start));
    at = each.end;
  }
  out.push(call.query.slice(at));
  return out;
}

function hasForeignField(grant: InjectBrokerGrant, query: string, found: Found): boolean {
  const placed = new Set(
    found.placed.map((each) => (each.place.in === "query" && "start" in each ? each.start : -1)),
  );
  return readQuery(query, /[&;]/).some(({ name, start }) => {
    if (placed.has(start)) return false;
    const bodyField = grant.places.some(
      (place) => (place.in === "form" || place.in === "multipart") && isAlike(name, place.name),
    );
    if (!bodyField && !CREDENTIAL_FIELDS.has(name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")))
      return false;
    return ![...grant.rules, ...(grant.ask ?? []), ...grant.anonymous].some(
      ({ query: wanted }) => wanted !== undefined && Object.hasOwn(wanted, name),
    );
  });
}
