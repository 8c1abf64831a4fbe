import type { HttpOperation, Json, JsonObject, Place } from "../../plan/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Header } from "../match.ts";
import { Unusable } from "./readInput.ts";

/** A call that a command makes, before the phantom stands in it. */
export interface ComposedCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The name of one of the grant's; the first if absent. */
  readonly host?: string;
  readonly headers: readonly Header[];
  /** `stream`: what comes on standard input. */
  readonly body: Buffer | "stream" | undefined;
}

const PLACEHOLDER = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/**
 * The call that an operation and its input make. An input in the path is percent-encoded whole: what
 * could be read as more than one segment is refused when the call is matched, like any other bot's.
 */
export function composeCall(operation: HttpOperation, input: JsonObject): ComposedCall | Unusable {
  try {
    return compose(operation, input);
  } catch (error) {
    // encodeURIComponent(): half of a surrogate pair.
    if (error instanceof URIError) return new Unusable("the input holds text that is not Unicode");
    throw error;
  }
}

function compose(operation: HttpOperation, input: JsonObject): ComposedCall | Unusable {
  const { method, path, host, query, body } = operation;
  const used = new Set<string>();
  const empty = [...path.matchAll(PLACEHOLDER)].find(([, name = ""]) => input[name] === "");
  if (empty !== undefined) return new Unusable(`"${empty[1] ?? ""}" must not be empty`);
  const filled = path.replaceAll(PLACEHOLDER, (whole, name: string) => {
    if (name === "secret") return whole;
    used.add(name);
    return encodeURIComponent(textOf(input[name] ?? ""));
  });
  const fields = Object.entries(query).flatMap(([name, value]) => {
    const only = /^\{(\w+)\}$/.exec(value)?.[1];
    if (only === undefined) return [[name, value] as const];
    used.add(only);
    const given = input[only];
    if (given === undefined) return [];
    // Several values of a name, as RFC 6570's {?name*} has them.
    return (Array.isArray(given) ? given : [given]).map((each) => [name, textOf(each)] as const);
  });
  const search = fields.map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const headers: Header[] = Object.entries(operation.headers);
  const json = (value: Json): Buffer => {
    headers.push(["content-type", "application/json"]);
    return Buffer.from(JSON.stringify(value));
  };
  const rest = Object.entries(input).filter(([name]) => !used.has(name));
  return {
    method,
    target: `${filled}${search.length === 0 ? "" : `?${search.join("&")}`}`,
    ...(host === undefined ? {} : { host }),
    headers,
    body:
      body === "none"
        ? undefined
        : body === "input"
          ? "stream"
          : json(body === "json" ? Object.fromEntries(rest) : (input[body.input] ?? null)),
  };
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Puts the bot's phantom where the service takes its credential, as a client with the phantom in its
 * environment would. Services whose credential stands in bodies or signatures have no commands.
 */
export function withPhantom(
  call: Pick<ComposedCall, "target" | "headers">,
  grant: InjectBrokerGrant,
): { readonly target: string; readonly headers: readonly Header[] } | undefined {
  const { phantom, places } = grant;
  // Where there is no key, none is sent.
  if (grant.secret === "") return call;
  const fitting = places.find((place) => isCarried(place, call.target));
  if (fitting === undefined) return undefined;
  const { target, headers } = call;
  switch (fitting.in) {
    case "header":
      return { target, headers: [...headers, [fitting.name, fitting.prefix + phantom]] };
    case "basic": {
      const pair = fitting.part === "password" ? `seawall:${phantom}` : `${phantom}:`;
      const value = `Basic ${Buffer.from(pair).toString("base64")}`;
      return { target, headers: [...headers, ["authorization", value]] };
    }
    case "path":
      return { target: target.replace("{secret}", phantom), headers };
    case "cookie":
      return { target, headers: [...headers, ["cookie", `${fitting.name}=${phantom}`]] };
    case "query": {
      const field = `${encodeURIComponent(fitting.name)}=${encodeURIComponent(phantom)}`;
      return { target: `${target}${target.includes("?") ? "&" : "?"}${field}`, headers };
    }
    case "form":
    case "multipart":
    case "json":
    case "websocket":
    case "sigv4":
      return undefined;
    default:
      return fitting satisfies never;
  }
}

/** Whether the credential can stand there in a call that a command makes. */
function isCarried(place: Place, target: string): boolean {
  if (place.in === "path") return target.startsWith(place.template);
  return ["header", "basic", "cookie", "query"].includes(place.in);
}
