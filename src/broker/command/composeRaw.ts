import { RAW_VERBS } from "../../plan/index.ts";
import type { Header } from "../match.ts";
import type { ComposedCall } from "./composeCall.ts";
import { readJson, Unusable } from "./readInput.ts";

/** Any call by method and path, before the phantom stands in it. */
export interface RawCall extends ComposedCall {
  /** As the agent wrote it before the path, to be compared with the grant's; the first of these if absent. */
  readonly origin?: string;
}

/** What else than a word may be a call's body. */
export interface RawBody {
  /** What came for a word `-`. */
  readonly stdin: string | undefined;
  /** Whether bytes follow on the socket. */
  readonly streams: boolean;
}

/** A name and a value for the query. No JSON begins so. */
const PAIR = /^([A-Za-z_$@][\w.$@[\]-]*)=(.*)$/s;
const URL_WORD = /^(https?:\/\/[^/?#]*)(.*)$/s;

/** Whether a client command's first word asks for a call by method and path. */
export function isRaw(word: string): boolean {
  return word === "call" || RAW_VERBS.has(word);
}

/**
 * The call that `get PATH [name=value …]` or `call METHOD PATH [name=value …] [JSON]` asks for. The path stays as it
 * is written, for the same rules as any client's: nothing is resolved, decoded or put right. A value is encoded whole, so it is
 * never more than a value. Nothing here decides what is allowed.
 */
export function composeRaw(
  verb: string,
  words: readonly string[],
  given: RawBody,
): RawCall | Unusable {
  const named = RAW_VERBS.get(verb);
  const [method, where, ...more] = named === undefined ? words : [named, ...words];
  const form = named === undefined ? "call METHOD PATH" : `${verb} PATH`;
  const pairs = more.filter((word) => PAIR.test(word));
  const bodies = more.filter((word) => !PAIR.test(word));
  if (method === undefined || where === undefined || bodies.length > 1)
    return new Unusable(`write it as: ${form} [name=value …] [JSON body]`);
  if (!/^[A-Z]{3,16}$/.test(method)) return new Unusable("the method is written as GET or POST");
  const target = readWhere(where);
  if (target instanceof Unusable) return target;
  const query = encodePairs(pairs);
  if (query instanceof Unusable) return query;
  const body = readBody(bodies[0], given);
  if (body instanceof Unusable) return body;
  if (verb === "get" && body.body !== undefined)
    return new Unusable("get sends no body; what is asked goes into the query, as name=value");
  const mark = target.path.includes("?") ? "&" : "?";
  return {
    method,
    target: query === "" ? target.path : `${target.path}${mark}${query}`,
    ...(target.origin === undefined ? {} : { origin: target.origin }),
    ...body,
  };
}

function readWhere(word: string): { readonly origin?: string; readonly path: string } | Unusable {
  if (word.startsWith("/")) return { path: word };
  const [, origin, rest = ""] = URL_WORD.exec(word) ?? [];
  if (origin === undefined || (rest !== "" && !rest.startsWith("/")))
    return new Unusable("the path begins with a slash, or is a whole URL of one of the hosts");
  return { origin, path: rest === "" ? "/" : rest };
}

function encodePairs(words: readonly string[]): string | Unusable {
  try {
    return words
      .map((word) => {
        const [, name = "", value = ""] = PAIR.exec(word) ?? [];
        return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
      })
      .join("&");
  } catch {
    // encodeURIComponent(): half of a surrogate pair.
    return new Unusable("the input holds text that is not Unicode");
  }
}

function readBody(
  word: string | undefined,
  { stdin, streams }: RawBody,
): { readonly headers: readonly Header[]; readonly body: ComposedCall["body"] } | Unusable {
  if (word === undefined) return { headers: [], body: streams ? "stream" : undefined };
  if (streams && word !== "-") return new Unusable("there are two bodies");
  const json = readJson(word === "-" ? (stdin ?? "") : word);
  if (json instanceof Unusable) return json;
  return {
    headers: [["content-type", "application/json"]],
    body: Buffer.from(JSON.stringify(json)),
  };
}
