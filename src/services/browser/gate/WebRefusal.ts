/** Why a request of a page, or a call, is refused. Stable: scripts match on them. */
export type WebRefusalCode = keyof typeof WEB_REFUSALS;

/** What each means, for an agent and its owner. */
export const WEB_REFUSALS = {
  "bad-url": "this is no address of a page",
  scheme: "only http: and https: addresses are opened",
  "url-credentials": "an address must not hold a user or password",
  "host-not-granted": "the grant's hosts don't have this one",
  "port-not-granted": "only ports 80 and 443 are opened, unless the grant's hosts say otherwise",
  "address-refused": "the host's address is private, local or a metadata service",
  "method-refused": "pages are only read: GET and HEAD",
  "upgrade-refused": "WebSockets are not opened",
  "too-many-requests": "the page asked for too many things",
  "too-large": "the page loads more than the grant allows",
  "call-over": "the call that this belonged to has ended",
  download: "this is a file to download, not a page",
  "name-not-found": "the host's name is not known",
  "upstream-unreachable": "the host can't be reached",
  "upstream-untrusted": "the host's certificate is not valid",
  "upstream-protocol": "the host doesn't speak HTTP as it should",
} as const;

/** Those that say that something outside failed, and not that it isn't allowed. */
const OUTSIDE: ReadonlySet<string> = new Set([
  "name-not-found",
  "upstream-unreachable",
  "upstream-untrusted",
  "upstream-protocol",
]);

export function isOutsideFailure(code: string): boolean {
  return OUTSIDE.has(code);
}

export function describeWebRefusal(code: string): string {
  return code in WEB_REFUSALS ? WEB_REFUSALS[code as WebRefusalCode] : "refused";
}
