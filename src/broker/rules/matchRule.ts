import type { Rule } from "../../plan/index.ts";
import { matchQuery } from "./matchQuery.ts";
import { fold, foldCase, readSegments, withoutParameters } from "./readPath.ts";

/** What a rule without its `body` is about. */
export interface RuleHead {
  readonly method: string;
  /** A path that `readTarget` accepted, its credential replaced by `{secret}`, without query. */
  readonly path: string;
  /** From the `?` on, or empty. */
  readonly query: string;
  /** The granted host's name. */
  readonly host: string;
}

/**
 * What a match is for. Servers differ in what they take for the same path, so a rule that allows
 * fits only if every usual reading of the call fits it, and one that forbids (or asks) fits as soon
 * as some reading does:
 *
 * - percent-encoding is undone once in both;
 * - `;parameters` of a segment may be part of it or not: to allow, both readings must fit;
 * - to forbid, the case of letters and a slash at the end make no difference, HEAD is also GET, and
 *   a query that can't be read might say anything.
 */
export type Purpose = "allow" | "forbid";

/**
 * Whether method, host, path and query of a call fit a rule; its body is not looked at. `*` stands
 * for one segment that is not empty, `**` (last only) for any number of segments, none included.
 */
export function matchRule(rule: Rule, head: RuleHead, purpose: Purpose): boolean {
  if (!matchMethod(rule.method, head.method, purpose)) return false;
  if (rule.host !== undefined && rule.host !== head.host) return false;
  const pattern = readSegments(rule.path);
  const segments = readSegments(head.path);
  const bare = withoutParameters(segments);
  const fits =
    purpose === "allow"
      ? matchSegments(pattern, segments) &&
        (bare === segments || matchSegments(withoutParameters(pattern), bare))
      : matchSegments(fold(pattern), fold(segments)) ||
        (bare !== segments && matchSegments(fold(withoutParameters(pattern)), fold(bare)));
  return fits && (rule.query === undefined || matchQuery(rule.query, head.query, purpose));
}

function matchMethod(wanted: string, method: string, purpose: Purpose): boolean {
  return (
    wanted === "*" ||
    wanted === method ||
    (purpose === "forbid" && method === "HEAD" && wanted === "GET")
  );
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): boolean {
  const open = pattern.at(-1) === "**";
  const fixed = open ? pattern.length - 1 : pattern.length;
  if (open ? segments.length < fixed : segments.length !== fixed) return false;
  for (let index = 0; index < fixed; index += 1) {
    const wanted = pattern[index];
    if (wanted === "*" ? segments[index] === "" : segments[index] !== wanted) return false;
  }
  return true;
}

/** Whether a name fits a pattern in which `*` stands for any run of characters. Takes no more than their lengths' product. */
export function matchGlob(pattern: string, name: string, purpose: Purpose): boolean {
  const wanted = purpose === "allow" ? pattern : foldCase(pattern);
  const given = purpose === "allow" ? name : foldCase(name);
  let at = 0;
  let index = 0;
  // Where to go on when what comes after the last star doesn't fit: one character further.
  let star = -1;
  let retry = 0;
  while (at < given.length) {
    if (wanted[index] === "*") {
      star = index;
      retry = at;
      index += 1;
    } else if (wanted[index] === given[at]) {
      index += 1;
      at += 1;
    } else if (star >= 0) {
      index = star + 1;
      retry += 1;
      at = retry;
    } else return false;
  }
  while (wanted[index] === "*") index += 1;
  return index === wanted.length;
}
