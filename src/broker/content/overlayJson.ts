import type { Json } from "../../plan/index.ts";
import { readPointer, type JsonNode } from "../body/json.ts";
import { isAlike } from "../decide/alike.ts";

/** Other bytes for a stretch of a body. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

type Setting = { readonly pointer: string; readonly value: Json };

/** What is to be set within one value: by key, or the value itself. */
type Overlay = Map<string, Overlay> | { readonly value: Json };

/**
 * What must be changed in a JSON text so that every pointer leads to its value: members are replaced
 * or added, missing objects made. `undefined` when a key is there that some parsers take for one of
 * these.
 *
 * @param offset of the text in the body that the edits are for.
 */
export function overlayJson(
  root: JsonNode,
  settings: readonly Setting[],
  offset: number,
): Edit[] | undefined {
  const overlay: Overlay = new Map<string, Overlay>();
  for (const { pointer, value } of settings) put(overlay, readPointer(pointer), value);
  const edits: Edit[] = [];
  return lay(root, overlay, offset, edits) ? edits : undefined;
}

/** The same for a value that isn't there yet. */
export function valueOf(settings: readonly Setting[]): Json {
  const overlay: Overlay = new Map<string, Overlay>();
  for (const { pointer, value } of settings) put(overlay, readPointer(pointer), value);
  return plain(overlay);
}

function put(
  into: Map<string, Overlay>,
  [key = "", ...rest]: readonly string[],
  value: Json,
): void {
  if (rest.length === 0) {
    into.set(key, { value });
    return;
  }
  const there = into.get(key);
  const inner = there instanceof Map ? there : new Map<string, Overlay>();
  into.set(key, inner);
  put(inner, rest, value);
}

function lay(node: JsonNode, overlay: Overlay, offset: number, edits: Edit[]): boolean {
  if (!(overlay instanceof Map) || node.kind !== "object") {
    const bytes = Buffer.from(JSON.stringify(plain(overlay)));
    edits.push({ start: offset + node.start, end: offset + node.end, bytes });
    return true;
  }
  const added: string[] = [];
  for (const [key, inner] of overlay) {
    const keys = [...node.members.keys()];
    if (keys.some((other) => other !== key && isAlike(other, key))) return false;
    const member = node.members.get(key);
    if (member === undefined) added.push(`${JSON.stringify(key)}:${JSON.stringify(plain(inner))}`);
    else if (!lay(member, inner, offset, edits)) return false;
  }
  if (added.length > 0) {
    const at = offset + node.end - 1;
    const bytes = Buffer.from(`${node.members.size > 0 ? "," : ""}${added.join(",")}`);
    edits.push({ start: at, end: at, bytes });
  }
  return true;
}

function plain(overlay: Overlay): Json {
  if (!(overlay instanceof Map)) return overlay.value;
  return Object.fromEntries([...overlay].map(([key, inner]) => [key, plain(inner)]));
}
