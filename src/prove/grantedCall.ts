import type { BotPlan, InjectGrant, Place, Rule } from "../plan/index.ts";
import type { BrokerField } from "./Field.ts";

export type GrantedCall = NonNullable<BrokerField["call"]>;

/**
 * A call that a bot's grants allow, with its credential in place: what attacks on the broker start
 * from. Undefined if no grant carries a credential in a request's head.
 *
 * @param phantoms by grant.
 */
export function findGrantedCall(
  bot: BotPlan,
  phantoms: ReadonlyMap<string, string>,
): GrantedCall | undefined {
  const calls = bot.grants.flatMap((grant) => {
    if (grant.kind !== "inject") return [];
    const call = callOf(grant, phantoms.get(grant.name) ?? "");
    return call === undefined ? [] : [call];
  });
  return calls.find(({ tls }) => tls) ?? calls[0];
}

function callOf(grant: InjectGrant, phantom: string): GrantedCall | undefined {
  const asked = grant.ask ?? [];
  for (const rule of grant.rules) {
    if (rule.body !== undefined || isAsked(rule, asked)) continue;
    const host = grant.hosts.find(({ name }) => rule.host === undefined || rule.host === name);
    const put = grant.places.map((place) => placed(place, phantom)).find((each) => each);
    if (host === undefined || put === undefined) continue;
    return {
      host: host.name,
      port: host.port,
      tls: host.scheme === "https",
      method: rule.method === "*" ? "GET" : rule.method,
      path: pathOf(rule, put, phantom),
      headers: put.headers ?? {},
      phantom,
    };
  }
  return undefined;
}

interface Put {
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** The path must have it, by the rule's own `{secret}`. */
  readonly inPath?: true;
}

/** Where the head of a request carries a credential; undefined for the other places. */
function placed(place: Place, phantom: string): Put | undefined {
  switch (place.in) {
    case "header":
      return { headers: { [place.name]: place.prefix + phantom } };
    case "basic": {
      const pair = place.part === "user" ? `${phantom}:x` : `x:${phantom}`;
      return { headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
    }
    case "cookie":
      return { headers: { cookie: `${place.name}=${phantom}` } };
    case "query":
      return { query: `${place.name}=${phantom}` };
    case "path":
      return { inPath: true };
    case "form":
    case "multipart":
    case "json":
    case "websocket":
    case "sigv4":
      return undefined;
    default:
      return place satisfies never;
  }
}

function pathOf(rule: Rule, put: Put, phantom: string): string {
  const path = pathFor(rule).replace("{secret}", phantom);
  const query = [
    ...Object.entries(rule.query ?? {}).map(([name, value]) => `${name}=${value}`),
    ...(put.query === undefined ? [] : [put.query]),
  ].join("&");
  return query === "" ? path : `${path}?${query}`;
}

/** A path that a rule takes, by its pattern. */
export function pathFor({ path }: Pick<Rule, "path">): string {
  return path
    .split("/")
    .map((segment) => (segment === "*" || segment === "**" ? "prove" : segment))
    .join("/");
}

/** The owner would be asked about such a call, and nobody is there to answer. */
export function isAsked(rule: Rule, asked: readonly Rule[]): boolean {
  return asked.some(({ method, path }) => method === rule.method && path === rule.path);
}
