import { isUtf8 } from "node:buffer";
import { isUtf8Type, readMediaType, readParameters } from "./mediaType.ts";

/** One part of a multipart/form-data body. */
export interface MultipartPart {
  readonly name: string;
  /** As it stands in the header. */
  readonly filename?: string;
  /** Media type in lower case without parameters. */
  readonly type?: string;
  /** Where its content stands: byte offsets, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

/** RFC 2046 section 5.1.1. */
const BOUNDARY = /^[A-Za-z0-9'()+_,\-./:=? ]{0,69}[A-Za-z0-9'()+_,\-./:=?]$/;
const MOST_PARTS = 1000;
const LONGEST_HEAD = 8192;

/**
 * Reads a multipart/form-data body (RFC 7578) if every parser reads it alike. `undefined`: no final
 * boundary, anything before the first or after the last, line ends other than CR LF round a
 * boundary or in headers, the boundary anywhere else (also as the beginning of another word), a
 * part without a plain name, parts within a part, transfer encodings, other character sets.
 */
export function readMultipart(bytes: Buffer, boundary: string): MultipartPart[] | undefined {
  if (!BOUNDARY.test(boundary)) return undefined;
  const delimiter = Buffer.from(`--${boundary}`, "latin1");
  if (!startsAt(bytes, delimiter, 0)) return undefined;
  const parts: MultipartPart[] = [];
  let after = delimiter.length;
  while (!startsAt(bytes, FINAL, after)) {
    if (!startsAt(bytes, LINE_END, after) || parts.length === MOST_PARTS) return undefined;
    const next = bytes.indexOf(delimiter, after);
    const end = next - LINE_END.length;
    if (next < 0 || !startsAt(bytes, LINE_END, end)) return undefined;
    const part = readPart(bytes, after + LINE_END.length, end);
    if (part === undefined) return undefined;
    parts.push(part);
    after = next + delimiter.length;
  }
  const rest = bytes.subarray(after + FINAL.length);
  return rest.length === 0 || rest.equals(LINE_END) ? parts : undefined;
}

const LINE_END = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");
const FINAL = Buffer.from("--");

function startsAt(bytes: Buffer, wanted: Buffer, at: number): boolean {
  return at >= 0 && bytes.subarray(at, at + wanted.length).equals(wanted);
}

function readPart(bytes: Buffer, start: number, end: number): MultipartPart | undefined {
  const blank = bytes.indexOf(BLANK_LINE, start);
  const content = blank + BLANK_LINE.length;
  if (blank < 0 || content > end || blank - start > LONGEST_HEAD) return undefined;
  const head = bytes.subarray(start, blank);
  if (!isUtf8(head)) return undefined;
  const headers = new Map<string, string>();
  for (const line of head.toString("utf8").split("\r\n")) {
    // No control characters, so no bare line ends; no blank at the beginning, so no folding.
    const [, name, value] = /^([A-Za-z0-9-]{1,40}):([\t -~\u00a0-\uffff]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || headers.has(name.toLowerCase()))
      return undefined;
    headers.set(name.toLowerCase(), value.trim());
  }
  const coding = headers.get("content-transfer-encoding");
  if (coding !== undefined && !/^(?:7bit|8bit|binary)$/i.test(coding)) return undefined;
  if (headers.has("content-encoding")) return undefined;
  const named = readDisposition(headers.get("content-disposition") ?? "");
  // `_charset_` would name the character set of all other parts (RFC 7578 section 4.6).
  if (named === undefined || named.name === "" || /^_charset_$/i.test(named.name)) return undefined;
  const type = headers.get("content-type");
  if (type === undefined) return { ...named, start: content, end };
  const media = readMediaType(type);
  if (media === undefined || media.type.startsWith("multipart/") || !isUtf8Type(media))
    return undefined;
  return { ...named, type: media.type, start: content, end };
}

/** `form-data; name="…"; filename="…"`, each once. A backslash is an escape to some and a character to others. */
function readDisposition(
  value: string,
): { readonly name: string; readonly filename?: string } | undefined {
  const parameters = /^form-data(?=;)/i.test(value)
    ? readParameters(value.slice("form-data".length))
    : undefined;
  const name = parameters?.get("name");
  if (parameters === undefined || name === undefined) return undefined;
  for (const each of parameters.keys())
    if (!["name", "filename", "filename*"].includes(each)) return undefined;
  const filename = parameters.get("filename") ?? parameters.get("filename*");
  return { name, ...(filename === undefined ? {} : { filename }) };
}
