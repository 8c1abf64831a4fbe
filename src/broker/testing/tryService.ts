import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { catalogue, type ServiceEntry } from "../../catalogue/index.ts";
import type { Place, Rule } from "../../plan/index.ts";
import type { InjectBrokerGrant } from "../Deployment.ts";
import { catalogueBots } from "./catalogueBots.ts";
import { canary, TestBroker } from "./TestBroker.ts";

/**
 * Tries a service as a bot would use it, against a stand-in that answers only calls which carry the real key
 * where the service's own clients put it. What no rule allows must not arrive there, nor anything with
 * another key than the bot's.
 */
export async function tryService(entry: ServiceEntry): Promise<void> {
  const t = await TestBroker.start();
  try {
    const real = entry.keyless === true ? "" : canary(`real-${entry.name}-`);
    t.secrets.set(entry.name, real === "" ? canary("unused-") : real);
    const declared = declaredFor(entry);
    const names =
      "url" in declared
        ? [`${entry.name}.test`]
        : entry.hosts.map((origin) => new URL(origin).hostname);
    const seen: IncomingMessage[] = [];
    const api = await t.upstream(names, (request, response) => {
      seen.push(request);
      request.resume();
      const carried = JSON.stringify([request.url, request.headers, decodeBasic(request)]);
      response.writeHead(carried.includes(real) ? 200 : 401).end("{}");
    });
    const { grants } = catalogueBots(
      {
        secrets: { [entry.name]: { vault: entry.name } },
        bots: { basecamp: { [entry.name]: declared } },
      },
      { host: "127.0.0.1", port: api.port, ca: t.upstreamAuthority.ca },
      new Map([...catalogue, [entry.name, entry]]),
    );
    const [planned] = grants.get("basecamp") ?? [];
    assert.ok(planned?.kind === "inject");
    const addresses = new Map<string, string>();
    const grant: InjectBrokerGrant = {
      ...planned,
      hosts: planned.hosts.map((host) => {
        const v4 = t.nextAddress();
        addresses.set(host.name, v4);
        const { v6: _v6, ...rest } = host;
        return { ...rest, scheme: "https", port: t.port, v4 };
      }),
    };
    await t.bot("basecamp", [grant]);
    assert.deepEqual(await t.configure(), { type: "configured" });
    const inRequests = grant.places.filter(
      (place) => !["websocket", "form", "multipart", "json", "sigv4"].includes(place.in),
    );
    const none: Place = { in: "header", name: "x-none", prefix: "" };
    for (const place of inRequests.length > 0 ? inRequests : [none]) {
      const { rule, host, path } = callOf(grant, place);
      const at = { name: host, address: addresses.get(host) ?? "" };
      const method = rule.method === "*" ? "GET" : rule.method;
      const ask = (
        path_: string,
        key: string,
        method_ = method,
      ): ReturnType<TestBroker["request"]> => {
        const { sent } = placedIn(place, path_, key, real);
        const headers = place === none ? {} : sent.headers;
        return t.request(at, { method: method_, path: sent.path, ...bodyFor(rule, headers) });
      };
      const allowed = await ask(path, grant.phantom);
      assert.equal(allowed.status, 200, `${method} ${path}: ${allowed.body}`);
      assert.ok(real === "" || !allowed.body.includes(real));
      const before = seen.length;
      const refused = await ask("/not/a/call/of/it", grant.phantom, "DELETE");
      assert.match(refused.body, /seawall_refused/);
      if (place !== none)
        assert.match((await ask(path, canary("another-"))).body, /seawall_refused/);
      assert.equal(seen.length, before, "nothing of that arrives");
    }
    assert.ok(real === "" || !t.everything().includes(real));
  } finally {
    await t.end();
  }
}

function decodeBasic({ headers }: IncomingMessage): string {
  const pair = /^Basic (.+)$/.exec(headers.authorization ?? "")?.[1] ?? "";
  return Buffer.from(pair, "base64").toString();
}

/** A grant of a service, at a place of the test's own where everybody has theirs. */
export function declaredFor({ name, keyless, ownHost }: ServiceEntry): object {
  return {
    ...(keyless === true ? {} : { secret: name }),
    ...(ownHost === true ? { url: `https://${name}.test` } : {}),
  };
}

/** A call that one of a grant's rules allows, in the words of its pattern. */
export function callOf(
  grant: InjectBrokerGrant,
  place: Place,
): { rule: Rule; host: string; path: string } {
  const rule = grant.rules.find(
    (each) =>
      (each.body === undefined || each.body.kind === "graphql") &&
      each.query === undefined &&
      !each.path.includes("$") &&
      (place.in !== "path" || each.path.startsWith(place.template)),
  );
  assert.ok(rule !== undefined, grant.name);
  const path = rule.path.replaceAll("**", "a/b").replaceAll("*", "a");
  return { rule, host: rule.host ?? grant.hosts[0]?.name ?? "", path };
}

export function bodyFor(
  { body }: Rule,
  headers: Record<string, string>,
): { headers: Record<string, string>; body?: string } {
  if (body === undefined) return { headers };
  return {
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query: "{ viewer { id } }" }),
  };
}

/** A call with a credential in a place: as the bot sends it, and as it has to arrive. */
export function placedIn(
  place: Place,
  path: string,
  phantom: string,
  real: string,
): Record<"sent" | "arrived", { path: string; headers: Record<string, string> }> {
  const build = (value: string): { path: string; headers: Record<string, string> } => {
    switch (place.in) {
      case "header":
        return { path, headers: { [place.name]: place.prefix + value } };
      case "basic": {
        const pair = place.part === "password" ? `me:${value}` : `${value}:x`;
        return {
          path,
          headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
        };
      }
      case "path":
        return { path: path.replace("{secret}", value), headers: {} };
      case "query":
        return { path: `${path}?${place.name}=${value}`, headers: {} };
      case "cookie":
        return { path, headers: { cookie: `${place.name}=${value}` } };
      case "form":
      case "multipart":
      case "json":
      case "websocket":
      case "sigv4":
      default:
        throw new Error(place.in);
    }
  };
  return { sent: build(phantom), arrived: build(real) };
}
