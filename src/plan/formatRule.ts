import type { BodyRule, Rule } from "./Plan.ts";

/**
 * A rule on one line for people, the same as the broker's own `formatRule`, which can't be had from
 * here without loading the broker: `POST /graphql graphql mutation createIssue`.
 */
export function formatRule({ method, path, host = "", query, body }: Rule): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${name}=${value}`);
  const target = `${host}${path}${pairs.length === 0 ? "" : `?${pairs.join("&")}`}`;
  return [method, target, ...(body === undefined ? [] : [formatBody(body)])].join(" ");
}

function formatBody(body: BodyRule): string {
  switch (body.kind) {
    case "graphql":
      return [body.kind, body.type, body.name, ...(body.field === undefined ? [] : [body.field])]
        .filter((word) => word !== "")
        .join(" ");
    case "json-rpc":
      return `${body.kind} ${body.method}`;
    case "mcp":
      return `${body.kind} ${body.tool}`;
    default:
      return body satisfies never;
  }
}
