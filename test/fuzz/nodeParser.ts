import { createRequire } from "node:module";

/** A message as Node's own parser (llhttp, as strict as its servers and clients use it) reads it. */
export interface NodeMessage {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  body: Buffer;
  trailers: readonly (readonly [string, string])[];
  complete: boolean;
}

export interface NodeReading {
  readonly messages: readonly NodeMessage[];
  readonly error: string | undefined;
}

interface Parser {
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  finish(): number | Error | undefined;
  [callback: number]: unknown;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const { HTTPParser, methods } = createRequire(import.meta.url)("node:_http_common") as {
  readonly HTTPParser: ParserClass;
  readonly methods: readonly string[];
};

/** @param bodiless for responses: what was asked was a HEAD. @param ended whether the connection ends behind these bytes. */
export function readByNode(
  kind: "request" | "response",
  bytes: Buffer,
  {
    bodiless = false,
    ended = false,
  }: { readonly bodiless?: boolean; readonly ended?: boolean } = {},
): NodeReading {
  const parser = new HTTPParser();
  parser.initialize(kind === "request" ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {});
  const messages: NodeMessage[] = [];
  let flat: string[] = [];
  let url = "";
  parser[HTTPParser.kOnHeaders] = (more: readonly string[], part: string): void => {
    flat.push(...more);
    url += part;
  };
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    raw: readonly string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
  ): number => {
    const all = raw ?? flat;
    flat = [];
    messages.push({
      method: method === undefined ? "" : (methods[method] ?? ""),
      target: target ?? url,
      status: status ?? 0,
      version: `${major}.${minor}`,
      headers: pairs(all),
      body: Buffer.alloc(0),
      trailers: [],
      complete: false,
    });
    url = "";
    return bodiless ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (chunk: Buffer): void => {
    const message = messages.at(-1);
    if (message !== undefined) message.body = Buffer.concat([message.body, chunk]);
  };
  parser[HTTPParser.kOnMessageComplete] = (): void => {
    const message = messages.at(-1);
    if (message === undefined) return;
    message.complete = true;
    message.trailers = pairs(flat);
    flat = [];
  };
  let result: number | Error | undefined = parser.execute(bytes);
  if (!(result instanceof Error) && ended) result = parser.finish();
  return {
    messages,
    error:
      result instanceof Error
        ? ((result as NodeJS.ErrnoException).code ?? result.message)
        : undefined,
  };
}

function pairs(flat: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) out.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  return out;
}
