import { createHash } from "node:crypto";
import { readForm } from "../body/form.ts";
import { readJson, type JsonNode } from "../body/json.ts";
import type { BodyRule } from "../../plan/index.ts";
import { valuesOf, type Call } from "../match.ts";
import { matchGlob, type Purpose } from "./matchRule.ts";
import { readGraphql } from "./readGraphql.ts";
import { foldCase } from "./readPath.ts";

/** One of the things that a body asks for. Each must be allowed by itself; one that is denied is enough. */
export type BodyUnit =
  | {
      readonly kind: "graphql";
      readonly type: "query" | "mutation" | "subscription";
      readonly name: string;
      readonly field: string;
    }
  | { readonly kind: "json-rpc"; readonly method: string }
  /** `tool` is absent for what calls none. */
  | { readonly kind: "mcp"; readonly tool?: string };

/**
 * What a call's body says, read by one kind of rule. Empty: it says nothing, as there is none (and
 * no query that might stand for it). `undefined`: it can't be read that way, or in two ways; a
 * persisted GraphQL query, of which only the server knows what it says, is one of these.
 */
export function readUnits(kind: BodyRule["kind"], call: Call): readonly BodyUnit[] | undefined {
  // What is asked for comes later, in frames.
  if (call.upgrade !== undefined) return undefined;
  switch (kind) {
    case "graphql":
      return readGraphqlUnits(call);
    case "json-rpc":
      return readMessages(call)?.flatMap(({ method }): BodyUnit[] => [{ kind, method }]);
    case "mcp":
      return readMcpUnits(call);
    default:
      return kind satisfies never;
  }
}

export function fitsUnit(rule: BodyRule, unit: BodyUnit, purpose: Purpose): boolean {
  if (rule.kind === "graphql" && unit.kind === "graphql") {
    return (
      (rule.type === "*" || rule.type === unit.type) &&
      matchGlob(rule.name, unit.name, purpose) &&
      (rule.field === undefined || matchGlob(rule.field, unit.field, purpose))
    );
  }
  if (rule.kind === "json-rpc" && unit.kind === "json-rpc")
    return matchGlob(rule.method, unit.method, purpose);
  if (rule.kind === "mcp" && unit.kind === "mcp") {
    if (unit.tool === undefined) return purpose === "allow";
    return matchGlob(rule.tool, unit.tool, purpose);
  }
  return false;
}

/** https://graphql.github.io/graphql-over-http/draft/, with batches as Apollo and others take them. */
function readGraphqlUnits(call: Call): BodyUnit[] | undefined {
  const byQuery = readQueryRequest(call);
  if (byQuery === undefined) return undefined;
  const documents = [...byQuery];
  if (call.content === undefined) {
    if (call.body !== "none") return undefined;
    if (documents.length === 0) return call.query.length > 1 ? undefined : [];
  } else if (call.content.type === "application/graphql" && isUtf8Text(call)) {
    documents.push(call.content.bytes.toString("utf8"));
  } else {
    const root = readJsonBody(call);
    if (root === undefined) return undefined;
    const requests = root.kind === "array" ? root.items : [root];
    if (requests.length === 0) return undefined;
    for (const request of requests) {
      const document = readRequest(request);
      if (document === undefined) return undefined;
      documents.push(document);
    }
  }
  // All of a batch together no longer than one may be.
  if (documents.reduce((sum, { length }) => sum + length, 0) > LONGEST_BATCH) return undefined;
  const units: BodyUnit[] = [];
  for (const document of documents) {
    const operations = readGraphql(document);
    if (operations === undefined || operations.length === 0) return undefined;
    for (const { type, name, fields } of operations)
      for (const field of fields) units.push({ kind: "graphql", type, name, field });
    if (units.length > MOST_UNITS) return undefined;
  }
  return units;
}

const MOST_UNITS = 2000;
const LONGEST_BATCH = 512 * 1024;
const REQUEST_MEMBERS = ["query", "operationName", "variables", "extensions"];

/** One request's document. A member that a server might take for the name of a stored one makes it unreadable. */
function readRequest(node: JsonNode): string | undefined {
  if (node.kind !== "object" || !hasOnly(node, REQUEST_MEMBERS)) return undefined;
  const query = textOf(node.members.get("query"));
  if (query === undefined) return undefined;
  const extensions = node.members.get("extensions");
  return extensions === undefined || agreesWithHash(extensions, query) ? query : undefined;
}

/** Servers may look a document up by its hash though one is there; then the hash must be this document's. */
function agreesWithHash(extensions: JsonNode, document: string): boolean {
  if (extensions.kind === "scalar") return extensions.value === null;
  if (extensions.kind !== "object") return false;
  const keys = [...extensions.members.keys()];
  if (keys.some((key) => foldCase(key) === "persistedquery" && key !== "persistedQuery"))
    return false;
  const persisted = extensions.members.get("persistedQuery");
  if (persisted === undefined) return true;
  if (persisted.kind !== "object" || !hasOnly(persisted, ["version", "sha256Hash"])) return false;
  const hash = textOf(persisted.members.get("sha256Hash"));
  return hash === createHash("sha256").update(document).digest("hex");
}

/**
 * Documents in the query of the target: with GET, and with POST too, where some servers let it win
 * over the body. `undefined`: it holds something that may name a stored document.
 */
function readQueryRequest(call: Call): string[] | undefined {
  const fields = readForm(Buffer.from(call.query.slice(1), "latin1"));
  if (fields === undefined) return undefined;
  const documents: string[] = [];
  for (const [name, value] of fields) {
    if (name === "query") documents.push(value);
    else if (name === "operationName" || name === "variables") continue;
    else if (call.body === "none" || /^(?:query|.*id|.*hash|extensions|document.*)\b/i.test(name))
      return undefined;
  }
  return documents.length > 1 ? undefined : documents;
}

/** More than a client sends at once, and no more than can be looked at while others wait. */
const MOST_MESSAGES = 1000;
const LONGEST_NAME = 256;

interface Message {
  readonly method: string;
  readonly node: JsonNode & { readonly kind: "object" };
}

/** The requests and notifications of a JSON-RPC 2.0 message or batch. A response among them makes it unreadable. */
function readMessages(call: Call): Message[] | undefined {
  const nodes = readBatch(call);
  const messages = nodes?.flatMap((node) => readMessage(node) ?? []);
  return messages?.length === nodes?.length ? messages : undefined;
}

type ObjectNode = JsonNode & { readonly kind: "object" };

function readBatch(call: Call): ObjectNode[] | undefined {
  if (call.content === undefined)
    return call.body === "none" && call.query.length <= 1 ? [] : undefined;
  const root = readJsonBody(call);
  const nodes = root?.kind === "array" ? root.items : root === undefined ? [] : [root];
  const objects = nodes.flatMap((node) => (node.kind === "object" ? [node] : []));
  if (objects.length !== nodes.length || objects.length > MOST_MESSAGES) return undefined;
  return objects.length > 0 ? objects : undefined;
}

/** https://www.jsonrpc.org/specification section 4. Members in another case are what some parsers take for the same. */
function readMessage(node: ObjectNode): Message | undefined {
  if (!hasOnly(node, ["jsonrpc", "method", "params", "id"])) return undefined;
  const method = nameOf(node.members.get("method"));
  if (method === undefined || textOf(node.members.get("jsonrpc")) !== "2.0") return undefined;
  return { method, node };
}

/**
 * What the protocol (https://modelcontextprotocol.io/specification/2025-11-25) sends from client to
 * server without calling a tool. A method that isn't here might be another way to one.
 */
const MCP_WITHOUT_TOOL =
  /^(?:initialize|ping|tools\/list|resources\/(?:list|read|templates\/list|subscribe|unsubscribe)|prompts\/(?:list|get)|completion\/complete|logging\/setLevel|tasks\/(?:get|list|result|cancel)|notifications\/[a-z_/]+)$/;

/** Opening a stream (GET) and ending a session (DELETE) have no body and call no tool. */
function readMcpUnits(call: Call): BodyUnit[] | undefined {
  if (call.content === undefined) return call.body === "none" ? [] : undefined;
  const units: BodyUnit[] = [];
  for (const node of readBatch(call) ?? []) {
    const message = readMessage(node);
    const tool = message === undefined ? undefined : readTool(message);
    if (tool !== undefined) units.push({ kind: "mcp", tool });
    else if (message === undefined ? isResponse(node) : MCP_WITHOUT_TOOL.test(message.method))
      units.push({ kind: "mcp" });
    else return undefined;
  }
  return units.length === 0 ? undefined : units;
}

/** The answer to what the server asked the client: sampling, elicitation, roots. */
function isResponse(node: ObjectNode): boolean {
  return (
    hasOnly(node, ["jsonrpc", "id", "result", "error"]) &&
    textOf(node.members.get("jsonrpc")) === "2.0" &&
    node.members.has("result") !== node.members.has("error")
  );
}

function readTool({ method, node }: Message): string | undefined {
  const params = node.members.get("params");
  if (method !== "tools/call" || params?.kind !== "object") return undefined;
  const spellings = [...params.members.keys()].filter((key) => foldCase(key) === "name");
  return spellings.length === 1 ? nameOf(params.members.get("name")) : undefined;
}

/** Whether an object has no other members, the same in another case included. */
function hasOnly(node: ObjectNode, names: readonly string[]): boolean {
  return [...node.members.keys()].every((key) => names.includes(key));
}

function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === "scalar" && typeof node.value === "string" ? node.value : undefined;
}

/** A text that is short enough to be compared with patterns. */
function nameOf(node: JsonNode | undefined): string | undefined {
  const text = textOf(node);
  return text !== undefined && text.length <= LONGEST_NAME ? text : undefined;
}

/** `application/json` in UTF-8, said once. */
function readJsonBody(call: Call): JsonNode | undefined {
  const { content } = call;
  if (content?.type !== "application/json" || !isUtf8Text(call)) return undefined;
  return readJson(content.bytes);
}

function isUtf8Text(call: Call): boolean {
  const charset = call.content?.parameters.get("charset") ?? "utf-8";
  return valuesOf(call.headers, "content-type").length === 1 && /^utf-?8$/i.test(charset);
}
