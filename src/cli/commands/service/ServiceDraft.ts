import type { ServiceEntry } from "../../../catalogue/index.ts";

/** What a person says of a service that nobody has described yet. */
export interface ServiceDraft {
  readonly name: string;
  readonly title: string;
  /** Its origin; empty where everybody runs their own. */
  readonly url: string;
  /** Where the key goes: `bearer`, `header NAME`, `basic`, `query NAME`, or `none`. */
  readonly key: string;
  /** Method and path each, as `GET /api/v1/items/**`. */
  readonly calls: readonly string[];
  readonly variable: string;
}

/** The entry that a draft makes; text that says what is wrong, where it makes none. */
export function entryOf(draft: ServiceDraft): ServiceEntry | string {
  const { name, title, url, key, calls, variable } = draft;
  if (url !== "" && (!URL.canParse(url) || new URL(url).origin !== url))
    return "the address is an origin: scheme and host, without a path";
  const credential = credentialOf(key);
  if (credential === undefined)
    return 'say where the key goes as "bearer", "header X-Api-Key", "basic", "query key" or "none"';
  return {
    name,
    title,
    hosts: url === "" ? [] : [url],
    ...(url === "" || isPrivate(url) ? { ownHost: true } : {}),
    ...(key === "none" ? { keyless: true } : {}),
    credential,
    phantom: "phantom-{base64url:40}",
    variable,
    allow: calls,
  };
}

function credentialOf(key: string): ServiceEntry["credential"] | undefined {
  const [kind, name, ...more] = key.split(/\s+/);
  if (more.length > 0) return undefined;
  if (kind === "none" && name === undefined) return [];
  if (kind === "bearer" && name === undefined)
    return [{ header: "authorization", prefix: "Bearer " }];
  if (kind === "basic" && name === undefined) return [{ basic: "password" }];
  if (kind === "header" && /^[A-Za-z0-9-]{1,64}$/.test(name ?? ""))
    return [{ header: (name ?? "").toLowerCase() }];
  if (kind === "query" && /^[A-Za-z0-9_.-]{1,64}$/.test(name ?? "")) return [{ query: name }];
  return undefined;
}

/** Plain HTTP goes to private addresses only, which are nobody else's. */
function isPrivate(url: string): boolean {
  return url.startsWith("http://");
}
