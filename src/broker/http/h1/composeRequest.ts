import type { Outgoing } from "../../inject/inject.ts";
import { UpstreamError } from "../UpstreamExchange.ts";
import { headPattern } from "./fields.ts";

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
  let head = `${method} ${target} HTTP/1.1\r\n`;
  let length: string | undefined;
  let chunked = false;
  let fields = 0;
  for (const [name, value] of headers) {
    head += `${name}: ${value}\r\n`;
    fields += 1;
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== undefined || chunked) throw new UpstreamError("upstream-protocol");
      length = value;
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") {
      if (length !== undefined || chunked) throw new UpstreamError("upstream-protocol");
      chunked = true;
    }
  }
  if (!REQUEST.test(head) || head.split("\r\n").length !== fields + 2)
    throw new UpstreamError("upstream-protocol");
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    throw new UpstreamError("upstream-protocol");
  return { method, head: `${head}\r\n`, framing: chunked ? "chunked" : Number(length ?? 0) };
}
