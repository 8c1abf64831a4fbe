import type { Place } from "../../plan/index.ts";
import { bodyKind } from "../body/bodyKind.ts";
import { readForm } from "../body/form.ts";
import { readJson, readPointer, type JsonNode } from "../body/json.ts";
import { readMultipart } from "../body/multipart.ts";
import type { CallBody } from "../body/CallBody.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Call } from "../match.ts";
import { equalInConstantTime } from "../phantoms.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";
import { isAlike } from "./alike.ts";
import { NOTHING_SEEN, type Finding, type Placed } from "./Placed.ts";

type BodyPlace = Extract<Place, { in: "form" | "multipart" | "json" }>;

/**
 * Looks into the body for places of the kind that its Content-Type says. A body of that kind which
 * can't be read in just one way is refused, and one that says no type, as servers then guess.
 */
export function findInBody(grant: InjectBrokerGrant, call: Call): Finding {
  const places = grant.places.filter((place): place is BodyPlace =>
    ["form", "multipart", "json"].includes(place.in),
  );
  if (places.length === 0 || call.body === "none") return NOTHING_SEEN;
  const kind = bodyKind(call.headers);
  if (kind === undefined) return refuse("body-unreadable");
  if (!places.some((place) => place.in === kind)) return NOTHING_SEEN;
  const { content } = call;
  if (content === undefined) return refuse("body-unreadable");
  const placed: Placed[] = [];
  if (kind === "json") {
    const root = readJson(content.bytes);
    if (root === undefined) return refuse("body-unreadable");
    const jsonPlaces = places.filter((place) => place.in === "json");
    for (const pointer of new Set(jsonPlaces.map((place) => place.pointer))) {
      const found = findInJson(
        root,
        jsonPlaces.filter((place) => place.pointer === pointer),
        grant.phantom,
      );
      if (found === undefined) continue;
      if (isRefusal(found)) return found;
      const { start, end } = found.node;
      placed.push({ place: found.place, start, end });
    }
    return { placed, beside: [] };
  }
  const fields = kind === "form" ? readFormFields(content) : readMultipartFields(content);
  if (fields === undefined) return refuse("body-unreadable");
  for (const { name, value, start, end } of fields) {
    const place = places.find(
      (each) => each.in !== "json" && each.in === kind && isAlike(name, each.name),
    );
    if (place === undefined || place.in === "json") continue;
    if (name !== place.name) return refuse("credential-ambiguous");
    if (placed.some((each) => each.place === place)) return refuse("credential-repeated");
    if (value === undefined || !equalInConstantTime(value, grant.phantom))
      return refuse("foreign-credential");
    placed.push({ place, start, end });
  }
  return { placed, beside: [] };
}

/**
 * The string at the places' common pointer if it is one of their prefixes and the phantom;
 * `undefined` if nothing or null stands there. Keys that some parsers take for the pointer's (Go's
 * don't mind the case) are refused.
 */
export function findInJson<Wanted extends { readonly pointer: string; readonly prefix?: string }>(
  root: JsonNode,
  places: readonly Wanted[],
  phantom: string,
): { readonly node: JsonNode; readonly place: Wanted } | Refusal | undefined {
  const node = walkJson(root, places[0]?.pointer ?? "");
  if (node === undefined || isRefusal(node)) return node;
  const value = node.kind === "scalar" ? node.value : undefined;
  if (value === null) return undefined;
  if (typeof value !== "string") return refuse("foreign-credential");
  const place = places.find(
    ({ prefix = "" }) =>
      value.startsWith(prefix) && equalInConstantTime(value.slice(prefix.length), phantom),
  );
  return place === undefined ? refuse("foreign-credential") : { node, place };
}

/** The value at a pointer, or a refusal where another key on the way might be taken for the pointer's. */
export function walkJson(root: JsonNode, pointer: string): JsonNode | Refusal | undefined {
  let node: JsonNode = root;
  for (const token of readPointer(pointer)) {
    let next: JsonNode | undefined;
    if (node.kind === "object") {
      for (const [key, member] of node.members) {
        if (key === token) next = member;
        else if (isAlike(key, token)) return refuse("credential-ambiguous");
      }
    } else if (node.kind === "array" && /^(?:0|[1-9][0-9]{0,8})$/.test(token)) {
      next = node.items[Number(token)];
    }
    if (next === undefined) return undefined;
    node = next;
  }
  return node;
}

interface Field {
  readonly name: string;
  /** A file's content is no credential. */
  readonly value: string | undefined;
  readonly start: number;
  readonly end: number;
}

function readFormFields({ bytes }: CallBody): Field[] | undefined {
  return readForm(bytes)?.map(([name, value, start, end]) => ({ name, value, start, end }));
}

function readMultipartFields({ bytes, parameters }: CallBody): Field[] | undefined {
  const boundary = parameters.get("boundary") ?? "";
  // One short enough to try out could be looked for in the secret that will stand between two of them.
  if (boundary.length < SHORTEST_BOUNDARY) return undefined;
  return readMultipart(bytes, boundary)?.map(({ name, filename, start, end }) => ({
    name,
    value: filename === undefined ? bytes.toString("latin1", start, end) : undefined,
    start,
    end,
  }));
}

const SHORTEST_BOUNDARY = 10;
