import type { BodyRule, Rule } from "../../plan/index.ts";

/**
 * A rule on one line, for the audit record and for the owner who is asked:
 * `POST /graphql graphql mutation createIssue`, `GET /a/b.git/info/refs?service=git-upload-pack`.
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
