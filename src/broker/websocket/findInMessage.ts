import { readJson, type JsonNode } from "../body/json.ts";
import { findInJson, walkJson } from "../decide/bodyPlaces.ts";
import type { Place } from "../../plan/index.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";

export type WebSocketPlace = Extract<Place, { in: "websocket" }>;

/** A string of a message in which the phantom stands. */
export interface PlacedInMessage {
  readonly place: WebSocketPlace;
  readonly start: number;
  readonly end: number;
}

/**
 * Looks for the phantom in a message by the places whose `where` it has. A message that isn't JSON, or
 * could be read in two ways, is refused, and one that some server might take for such a message
 * though strictly it isn't: a number as a string, keys in another case, several messages in a list.
 */
export function findInMessage(
  places: readonly WebSocketPlace[],
  bytes: Buffer,
  phantom: string,
): readonly PlacedInMessage[] | Refusal {
  const root = readJson(bytes);
  if (root === undefined) return refuse("body-unreadable");
  const meant: WebSocketPlace[] = [];
  for (const place of places) {
    const verdict = hasAll(root, place.where);
    if (verdict === "maybe" || (root.kind === "array" && maybeInside(root.items, place)))
      return refuse("credential-ambiguous");
    if (verdict === "yes") meant.push(place);
  }
  const placed: PlacedInMessage[] = [];
  for (const pointer of new Set(meant.map((place) => place.pointer))) {
    const found = findInJson(
      root,
      meant.filter((place) => place.pointer === pointer),
      phantom,
    );
    if (found === undefined) continue;
    if (isRefusal(found)) return found;
    placed.push({ place: found.place, start: found.node.start, end: found.node.end });
  }
  return placed;
}

type Verdict = "yes" | "no" | "maybe";

function hasAll(root: JsonNode, where: WebSocketPlace["where"]): Verdict {
  let verdict: Verdict = "yes";
  for (const { pointer, equals } of where) {
    const node = walkJson(root, pointer);
    if (node === undefined) return "no";
    if (!isRefusal(node)) {
      const value = node.kind === "scalar" ? node.value : undefined;
      if (value === equals) continue;
      const loose = (each: unknown): string => String(each).trim().toLowerCase();
      if (node.kind !== "scalar" || loose(value) !== loose(equals)) return "no";
    }
    verdict = "maybe";
  }
  return verdict;
}

function maybeInside(items: readonly JsonNode[], place: WebSocketPlace): boolean {
  return items.some((item) => item.kind === "object" && hasAll(item, place.where) !== "no");
}
