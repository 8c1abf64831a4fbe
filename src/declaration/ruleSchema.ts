import { z } from "zod";
import { call, callOrOwn, hostName } from "./words.ts";

const pattern = (what: string) => z.string().regex(/^[\x21-\x7e]{1,128}$/, what);

/** A rule in its long form; which keys go together is the plan's to check. */
const longRule = z.strictObject({
  call: call.optional().describe('Method and path, as "POST /graphql".'),
  graphql: z
    .string()
    .regex(
      /^(?:query|mutation|subscription|\*)(?: [_A-Za-z0-9*]{1,128})?$/,
      'a type of operation and perhaps its name, as "query" or "mutation Create*"',
    )
    .optional()
    .describe('Every operation of the body is of this type and name, as "query Viewer*".'),
  field: z
    .string()
    .regex(/^[_A-Za-z0-9*]{1,128}$/, 'a field\'s name, as "createIssue" or "issue*"')
    .optional()
    .describe("Every field at the root of the GraphQL operations has this name."),
  jsonRpc: pattern('a method, as "eth_*"').optional().describe("Every JSON-RPC method called."),
  mcp: pattern('a tool\'s name, as "search_*"')
    .optional()
    .describe("Every MCP tool called; what calls no tool also fits."),
  query: z
    .record(z.string().regex(/^[\x21-\x7e]{1,64}$/, "a name in a query"), z.string().max(256))
    .optional()
    .describe("Names and values that the query of the target must have."),
  host: hostName.optional().describe("Only at this one of the service's hosts."),
  git: z
    .string()
    .regex(
      /^(?:(?:[A-Za-z0-9._~-]{1,100}|\*)\/){1,8}(?:[A-Za-z0-9._~-]{1,100}|\*)$/,
      'a repository, as "owner/name" or "owner/*"',
    )
    .optional()
    .describe("A repository, reached by git over HTTPS."),
  s3: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "a bucket's name")
    .optional()
    .describe("A bucket, by path, or by name where host is that of the bucket."),
  access: z.enum(["read", "write"]).optional().describe("For git and s3. Write includes read."),
});

/** Calls, as `GET /api/**` or with more to say. */
export const rule = z.union([call, longRule]).meta({ id: "rule" });

/** A rule, or `...`, which stands for the service's own list. */
export const ruleOrOwn = z.union([callOrOwn, longRule]).meta({ id: "ruleOrOwn" });

export type DeclaredRule = z.output<typeof rule>;
