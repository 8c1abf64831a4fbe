import type { Step } from "../Case.ts";

/** What every plain request has. */
export const AUTH = "Host: {host}\r\nx-api-key: {phantom}\r\n";

/** A request that a target must never pass on: what smuggling tries to bring through. */
export const SMUGGLED =
  "GET /smuggled/{id} HTTP/1.1\r\nHost: {host}\r\nx-api-key: {phantom}\r\n\r\n";
export const NEVER_SMUGGLED = ["/smuggled/"] as const;

/** The text of a POST: further fields (each ending in CRLF) and what stands behind the head. */
export function post(fields: string, rest: string): string {
  return `POST /v1/messages HTTP/1.1\r\n${AUTH}${fields}\r\n${rest}`;
}

/** The text of a GET of this target. */
export function get(target = "/v1/models/{id}", fields = ""): string {
  return `GET ${target} HTTP/1.1\r\n${AUTH}${fields}\r\n`;
}

export function sends(text: string): readonly Step[] {
  return [{ send: text }];
}
