import type { EntryRule } from "../catalogue/index.ts";
import { parseCall } from "./parseCall.ts";
import type { BodyRule, Rule } from "./Plan.ts";

/**
 * What a declared rule stands for. `before` is what a client has to look at before it can make the
 * calls themselves; where the owner is asked, only these are asked about.
 */
export interface ExpandedRule {
  readonly rules: readonly Rule[];
  readonly before: readonly Rule[];
}

/** What a rule is for: to allow writing is to allow reading too, to forbid writing is not. */
export type RuleUse = "allow" | "forbid";

/** Expands a rule to calls, or says in plain words what is wrong with it. */
export function expandRule(
  declared: EntryRule,
  use: RuleUse,
  service: { readonly hosts: readonly string[]; readonly git: string | undefined },
): ExpandedRule | { readonly wrong: string } {
  if (typeof declared === "string") return asCall(declared, {});
  const { call, git, s3, access } = declared;
  if ([call, git, s3].filter((key) => key !== undefined).length !== 1)
    return { wrong: 'needs exactly one of "call", "git" and "s3"' };
  const extra = (["graphql", "field", "jsonRpc", "mcp", "query"] as const).find(
    (key) => declared[key] !== undefined,
  );
  if (call !== undefined) {
    if (access !== undefined) return { wrong: 'has "access", which belongs to "git" and "s3"' };
    return asCall(call, declared);
  }
  if (extra !== undefined) return { wrong: `has "${extra}", which belongs to "call"` };
  if (access === undefined) return { wrong: 'doesn\'t say its access, "read" or "write"' };
  const host = declared.host ?? (git === undefined ? undefined : service.git);
  const kinds = access === "write" && use === "allow" ? (["read", "write"] as const) : [access];
  if (git !== undefined) {
    const path = parseCall(`GET /${git}`);
    return "wrong" in path ? path : gitCalls(git, kinds, host);
  }
  const bucket = s3 ?? "";
  // A bucket may be reached at a host of its own as well.
  const own = service.hosts.filter((name) =>
    service.hosts.some((other) => name === `${bucket}.${other}`),
  );
  const places = host === undefined ? [undefined, ...own] : [host];
  return {
    rules: kinds.flatMap((kind) =>
      places.flatMap((place) => s3Calls(bucket, kind, place, service.hosts)),
    ),
    before: [],
  };
}

function asCall(
  text: string,
  declared: Exclude<EntryRule, string>,
): ExpandedRule | { readonly wrong: string } {
  const rule = parseCall(text);
  if ("wrong" in rule) return rule;
  const { host, query } = declared;
  if (host !== undefined && rule.host !== undefined) return { wrong: "names its host twice" };
  const body = bodyRule(declared);
  if (body !== undefined && "wrong" in body) return body;
  const rules = [
    {
      ...rule,
      ...(host === undefined ? {} : { host }),
      ...(query === undefined ? {} : { query: sorted(query) }),
      ...(body === undefined ? {} : { body }),
    },
  ];
  return { rules, before: [] };
}

function bodyRule(
  declared: Exclude<EntryRule, string>,
): BodyRule | { readonly wrong: string } | undefined {
  const { graphql, field, jsonRpc, mcp } = declared;
  if ([graphql, jsonRpc, mcp].filter((key) => key !== undefined).length > 1)
    return { wrong: 'has several of "graphql", "jsonRpc" and "mcp"' };
  if (field !== undefined && graphql === undefined)
    return { wrong: 'has "field", which belongs to "graphql"' };
  if (graphql !== undefined) {
    const [type, name = "*"] = graphql.split(" ") as [GraphqlType, string?];
    return { kind: "graphql", type, name, ...(field === undefined ? {} : { field }) };
  }
  if (jsonRpc !== undefined) return { kind: "json-rpc", method: jsonRpc };
  return mcp === undefined ? undefined : { kind: "mcp", tool: mcp };
}

type GraphqlType = Extract<BodyRule, { kind: "graphql" }>["type"];

const GIT_SERVICES = { read: "git-upload-pack", write: "git-receive-pack" } as const;

/**
 * The calls of git's smart protocol (gitprotocol-http(5)): a look at the refs by GET, then the
 * service by POST; the repository with and without `.git`.
 */
function gitCalls(
  repository: string,
  kinds: readonly ("read" | "write")[],
  host: string | undefined,
): ExpandedRule {
  const bare = repository.replace(/\.git$/, "");
  const paths = bare.endsWith("*") ? [`/${bare}`] : [`/${bare}`, `/${bare}.git`];
  const at = host === undefined ? {} : { host };
  const each = (make: (path: string, service: string) => Rule): Rule[] =>
    kinds.flatMap((kind) => paths.map((path) => make(path, GIT_SERVICES[kind])));
  return {
    before: each((path, service) => ({
      method: "GET",
      path: `${path}/info/refs`,
      ...at,
      query: { service },
    })),
    rules: each((path, service) => ({ method: "POST", path: `${path}/${service}`, ...at })),
  };
}

/**
 * The calls of S3's API for a bucket's objects: `/bucket/key`, or `/key` where `host` is that of the
 * bucket. Reading includes lists; writing leaves out what changes the bucket itself.
 */
function s3Calls(
  bucket: string,
  kind: "read" | "write",
  host: string | undefined,
  hosts: readonly string[],
): Rule[] {
  const ofBucket = host?.startsWith(`${bucket}.`) === true;
  const root = ofBucket ? "" : `/${bucket}`;
  const calls: [method: string, path: string][] =
    kind === "read"
      ? [
          ["GET", `${root}/**`],
          ["HEAD", `${root}/**`],
        ]
      : [
          ["PUT", `${root}/*/**`],
          ["POST", `${root}/*/**`],
          ["DELETE", `${root}/*/**`],
        ];
  // A path begins with the bucket only where the host isn't a bucket's own.
  const places =
    host === undefined
      ? hosts.filter((name) => !hosts.some((other) => name.endsWith(`.${other}`)))
      : [host];
  const scoped = host !== undefined || places.length < hosts.length;
  if (!scoped) return calls.map(([method, path]) => ({ method, path }));
  return places.flatMap((place) => calls.map(([method, path]) => ({ method, path, host: place })));
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
