import type { Header } from "../../match.ts";
import { headPattern, splitFields } from "./fields.ts";

/** A request of the plain kind. */
export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  /** Body bytes. */
  readonly length: number;
  /** Whether the bot means to send another on the connection. */
  readonly persistent: boolean;
  /** It asks to go on as a WebSocket; what follows the head is no HTTP if that is granted. */
  readonly upgrade: boolean;
  /** Bytes of the head. */
  readonly size: number;
}

const LONGEST_HEAD = 32 * 1024;
const MOST_HEADERS = 200;
const HEAD_END = Buffer.from("\r\n\r\n");
/** The methods that nearly all calls have; the others are as good, but not worth a look here. */
const HEAD = headPattern(
  String.raw`(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) (/[\x21-\x7e]*) HTTP/1\.1`,
);

/**
 * Reads the request at the start of `bytes`, if it is of the plain kind: HTTP/1.1 in origin-form, with
 * one Host, with one Content-Length or none, and nothing that would ask for more than an answer; or a
 * GET that asks for a WebSocket.
 *
 * What it reads, Node's parser reads in the same way. Everything else is `unusual`, which says nothing
 * against it; the bytes are as they were and nothing has been done.
 *
 * @returns `more` while the head isn't whole.
 */
export function parseRequest(bytes: Buffer, searched: number): ParsedRequest | "more" | "unusual" {
  const end = bytes.indexOf(HEAD_END, searched);
  if ((end < 0 ? bytes.length : end) > LONGEST_HEAD) return "unusual";
  if (end < 0) return isBeginning(bytes, searched) ? "more" : "unusual";
  const text = bytes.toString("latin1", 0, end + 2);
  const match = HEAD.exec(text);
  if (match === null) return "unusual";
  const [line, method = "", target = ""] = match;
  const headers = splitFields(line, line.indexOf("\r\n") + 2);
  if (headers.length > MOST_HEADERS) return "unusual";
  let hosts = 0;
  let length: string | undefined;
  let connection: string | undefined;
  let upgrade: string | undefined;
  for (const [name, value] of headers) {
    // Told apart by length first: making lower case of every name is what costs.
    switch (MEANINGFUL_LENGTHS.has(name.length) ? name.toLowerCase() : "") {
      case "host":
        hosts += 1;
        break;
      case "content-length":
        if (length !== undefined) return "unusual";
        length = value;
        break;
      case "connection":
        if (connection !== undefined) return "unusual";
        connection = value.toLowerCase();
        break;
      case "upgrade":
        if (upgrade !== undefined) return "unusual";
        upgrade = value.toLowerCase();
        break;
      case "transfer-encoding":
      case "expect":
      case "trailer":
      case "te":
      case "proxy-connection":
      case "http2-settings":
        return "unusual";
      default:
    }
  }
  if (hosts !== 1) return "unusual";
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) return "unusual";
  const switches =
    upgrade === "websocket" &&
    method === "GET" &&
    length === undefined &&
    UPGRADING.has(connection ?? "");
  if (upgrade !== undefined && !switches) return "unusual";
  if (!switches && connection !== undefined && !KEEPING.has(connection)) return "unusual";
  return {
    method,
    target,
    headers,
    length: Number(length ?? 0),
    persistent: connection !== "close",
    upgrade: switches,
    size: end + 4,
  };
}

/** What Connection may say. Anything else is rare enough for Node's server. */
const KEEPING: ReadonlySet<string> = new Set(["keep-alive", "close"]);
const UPGRADING: ReadonlySet<string> = new Set([
  "upgrade",
  "keep-alive, upgrade",
  "upgrade, keep-alive",
]);

/** Lengths of the names above. */
const MEANINGFUL_LENGTHS: ReadonlySet<number> = new Set([2, 4, 6, 7, 10, 14, 16, 17]);

/** Whether a head may still come of it: one that never will must not wait for the end of its time. */
function isBeginning(bytes: Buffer, searched: number): boolean {
  const first = bytes[0] ?? 0;
  if (first < 0x41 || first > 0x5a) return false;
  for (let at = bytes.indexOf(0x0a, searched); at >= 0; at = bytes.indexOf(0x0a, at + 1))
    if (bytes[at - 1] !== 0x0d) return false;
  return true;
}
