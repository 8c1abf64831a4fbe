import type { Outgoing } from "../../inject/inject.ts";
import { UpstreamError } from "../UpstreamExchange.ts";
import { composeFields, headPattern } from "./fields.ts";

/** A request's head as it is sent, and how its body's end is told. */
export interface ComposedRequest {
  readonly method: string;
  /** latin1. */
  readonly head: string;
  readonly framing: number | "chunked";
}

const REQUEST = headPattern(String.raw`[A-Z]{1,20} /[\x21-\x7e]* HTTP/1\.1`);

/**
 * The head of a request. Checked as a whole: whatever an upstream could read as a further field or
 * request can't leave here, wherever it came from.
 *
 * @throws UpstreamError `upstream-protocol`.
 */
export function composeRequest({ method, target, headers }: Outgoing): ComposedRequest {
  const head = composeFields(`${method} ${target} HTTP/1.1`, headers, REQUEST);
  if (head === undefined) throw new UpstreamError("upstream-protocol");
  let length: string | undefined;
  let chunked = false;
  for (const [name, value] of headers) {
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== undefined || chunked) throw new UpstreamError("upstream-protocol");
      length = value;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (length !== undefined || chunked) throw new UpstreamError("upstream-protocol");
      chunked = true;
    }
  }
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    throw new UpstreamError("upstream-protocol");
  return { method, head: `${head}\r\n`, framing: chunked ? "chunked" : Number(length ?? 0) };
}
