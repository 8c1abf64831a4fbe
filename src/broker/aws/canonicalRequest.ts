import { createHash } from "node:crypto";
import { decodePercent } from "../phantoms.ts";
import type { Header } from "../match.ts";

/** What a signature is about. Texts have one character per byte (latin1), as they travel. */
export interface SignedRequest {
  readonly method: string;
  /** As it is sent: percent-encoded, no query. */
  readonly path: string;
  /** From the `?` on, or empty. */
  readonly query: string;
  readonly headers: readonly Header[];
  /** Lower case, sorted, none twice, all of them there. */
  readonly signed: readonly string[];
  /** Hex of the body's SHA-256, or one of AWS's words for a body that isn't signed. */
  readonly payload: string;
  /** As in the credential's scope; S3 writes paths in its own way. */
  readonly service: string;
}

/**
 * The canonical request of Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step 1).
 */
export function canonicalRequest(request: SignedRequest): string {
  const { method, path, query, headers, signed, payload, service } = request;
  const lines = signed.map((name) => `${name}:${canonicalValue(headers, name)}`);
  return [
    method,
    canonicalPath(path, service),
    canonicalQuery(query),
    ...lines,
    "",
    signed.join(";"),
    payload,
  ].join("\n");
}

/**
 * S3 encodes each segment once, all others encode once more what is encoded already. Dot segments and
 * empty ones never get here (`readTarget`), so there is nothing to normalize.
 */
export function canonicalPath(path: string, service: string): string {
  const bytes = service.startsWith("s3") ? decodePercent(path) : path;
  return encodeStrictly(bytes, "/");
}

function canonicalQuery(query: string): string {
  return query
    .replace(/^\?/, "")
    .split("&")
    .filter((field) => field !== "")
    .map((field) => {
      const mark = field.indexOf("=");
      const [name, value] = mark < 0 ? [field, ""] : [field.slice(0, mark), field.slice(mark + 1)];
      return [encodeStrictly(decodePercent(name)), encodeStrictly(decodePercent(value))] as const;
    })
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/** Values of one name joined, blanks at the ends taken off and those within made one. */
function canonicalValue(headers: readonly Header[], name: string): string {
  return headers
    .filter(([key]) => key.toLowerCase() === name)
    .map(([, value]) => value.replaceAll(/[ \t]+/g, " ").trim())
    .join(",");
}

/** Percent-encodes each byte but RFC 3986's unreserved characters. */
function encodeStrictly(bytes: string, kept = ""): string {
  let out = "";
  for (const char of bytes) {
    out +=
      /[A-Za-z0-9\-._~]/.test(char) || kept.includes(char)
        ? char
        : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

export function sha256Hex(bytes: string | Buffer): string {
  return createHash("sha256")
    .update(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes)
    .digest("hex");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
