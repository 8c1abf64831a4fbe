import type { CredentialPlace } from "../catalogue/index.ts";
import type { Fault, Path } from "../declaration/index.ts";
import type { Place } from "./Plan.ts";

const KINDS = [
  "header",
  "path",
  "basic",
  "cookie",
  "query",
  "form",
  "multipart",
  "json",
  "websocket",
  "sigv4",
] as const;
const WITH_PREFIX: readonly string[] = ["header", "json", "websocket"];

/** One declared place of a credential; a fault when it names none, several, or what doesn't belong. */
export function planPlace(declared: CredentialPlace, path: Path, faults: Fault[]): Place[] {
  const [kind, ...others] = KINDS.filter((each) => declared[each] !== undefined);
  const { prefix, where } = declared;
  const wrong =
    kind === undefined || others.length > 0
      ? "a credential stands in exactly one place"
      : prefix !== undefined && !WITH_PREFIX.includes(kind)
        ? `a credential in the ${kind} has no prefix`
        : (where !== undefined) !== (kind === "websocket") || isEmpty(where)
          ? "a credential in a WebSocket needs where, to know its frame; others don't have it"
          : undefined;
  if (wrong === undefined) return placeOf(declared);
  faults.push({
    code: "invalid",
    path,
    message: wrong,
    hint: 'write { header: "authorization", prefix: "Bearer " }, { path: "/bot{secret}" } or another one of docs/declaration.md',
  });
  return [];
}

function placeOf(declared: CredentialPlace): Place[] {
  const { header, prefix, path, basic, cookie, query, form, multipart, json, websocket, sigv4 } =
    declared;
  const before = prefix === undefined ? {} : { prefix };
  if (header !== undefined)
    return [{ in: "header", name: header.toLowerCase(), prefix: prefix ?? "" }];
  if (path !== undefined) return [{ in: "path", template: path }];
  if (basic !== undefined) return [{ in: "basic", part: basic }];
  if (cookie !== undefined) return [{ in: "cookie", name: cookie }];
  if (query !== undefined) return [{ in: "query", name: query }];
  if (form !== undefined) return [{ in: "form", name: form }];
  if (multipart !== undefined) return [{ in: "multipart", name: multipart }];
  if (json !== undefined) return [{ in: "json", pointer: json, ...before }];
  // Which region, and which service where it says `*`, is the grant's to say.
  if (sigv4 !== undefined) return [{ in: "sigv4", service: sigv4, region: "*" }];
  if (websocket === undefined) return [];
  const where = Object.entries(declared.where ?? {})
    .map(([pointer, equals]) => ({ pointer, equals }))
    .toSorted((a, b) => (a.pointer < b.pointer ? -1 : 1));
  return [{ in: "websocket", pointer: websocket, ...before, where }];
}

function isEmpty(record: object | undefined): boolean {
  return record !== undefined && Object.keys(record).length === 0;
}
