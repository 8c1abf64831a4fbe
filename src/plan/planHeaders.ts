import type { EntryHeader } from "../catalogue/index.ts";
import type { Fault, Path } from "../declaration/index.ts";
import type { CommandPlan, HeaderPlan } from "./CommandPlan.ts";
import type { Place } from "./Plan.ts";

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;

/** What a header's value may be: printable ASCII, with no space at its ends (RFC 9110, section 5.5, without obs-text). */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/;

/**
 * Names that no service can let an agent give, in lower case: those that carry credentials wherever a service takes its own,
 * that belong to one connection (RFC 9110, section 7.6.1), that say where the call goes or how long it is, that have it
 * read as another one, and those that the broker decides.
 */
const NEVER: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "set-cookie",
  "www-authenticate",
  "authentication-info",
  "x-api-key",
  "api-key",
  "apikey",
  "x-auth-token",
  "x-access-token",
  "x-csrf-token",
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  "content-length",
  "content-encoding",
  "expect",
  "max-forwards",
  "via",
  "forwarded",
  "x-original-url",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  "x-original-method",
  "x-original-host",
  "x-host",
  "x-real-ip",
  "accept-encoding",
  "grpc-accept-encoding",
  "range",
  "if-range",
  "request-range",
  "x-seawall",
]);
const NEVER_BEGIN: readonly string[] = ["proxy-", "sec-", "x-forwarded-", "x-amz-", "x-seawall-"];

/** Whether a text can be a header's value, so that it is never more than that. */
export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}

/** The headers that an agent may give to a service's command; faults are pushed for those that nobody may. */
export function planHeaders(
  declared: Readonly<Record<string, EntryHeader>> | undefined,
  places: readonly Place[],
  path: Path,
  faults: Fault[],
): Pick<CommandPlan, "headers"> {
  const headers = Object.entries(declared ?? {})
    .map(([name, { about, usual }]): HeaderPlan => {
      const wrong = faultOf(name, usual, Object.keys(declared ?? {}), places);
      if (wrong !== undefined) faults.push({ code: "invalid", path: [...path, name], ...wrong });
      return {
        name,
        ...(about === undefined ? {} : { about }),
        ...(usual === undefined ? {} : { usual }),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return headers.length === 0 ? {} : { headers };
}

function faultOf(
  name: string,
  usual: string | undefined,
  all: readonly string[],
  places: readonly Place[],
): { readonly message: string; readonly hint: string; readonly atKey?: true } | undefined {
  const lower = name.toLowerCase();
  if (!NAME.test(name))
    return { atKey: true, message: "this can't be a header's name", hint: 'as "X-Api-Version"' };
  if (all.filter((each) => each.toLowerCase() === lower).length > 1)
    return { atKey: true, message: `"${name}" stands here twice`, hint: "keep one of them" };
  const carries = places.some((place) => place.in === "header" && place.name === lower);
  if (carries || NEVER.has(lower) || NEVER_BEGIN.some((begin) => lower.startsWith(begin)))
    return {
      atKey: true,
      message: `"${name}" is no header that an agent may give`,
      hint: "only those that neither carry a credential nor say where or how a call goes",
    };
  if (usual === undefined || isHeaderValue(usual)) return undefined;
  return {
    message: "this can't be a header's value",
    hint: "printable ASCII, at most 1024 characters",
  };
}
