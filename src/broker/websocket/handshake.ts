import { createHash } from "node:crypto";
import { valuesOf, type Call, type Header } from "../match.ts";
import { refuse, type Refusal } from "../Refusal.ts";

/**
 * Whether a call that asks for an upgrade is a handshake (RFC 6455 section 4.2.1): version 13 and one
 * key of sixteen bytes. Extensions may be offered; they are not passed on.
 */
export function checkHandshake(call: Call): Refusal | undefined {
  const keys = valuesOf(call.headers, "sec-websocket-key");
  const versions = valuesOf(call.headers, "sec-websocket-version");
  const [key = ""] = keys;
  return call.method === "GET" &&
    call.body === "none" &&
    keys.length === 1 &&
    /^[A-Za-z0-9+/]{22}==$/.test(key) &&
    versions.length === 1 &&
    versions[0] === "13"
    ? undefined
    : refuse("websocket-invalid");
}

/**
 * Whether a reply grants the upgrade that was asked for (section 4.1): 101, the key's answer, a
 * subprotocol only if it was offered, and no extension, since none was.
 */
export function isGranted(
  call: Call,
  reply: { readonly status: number; readonly headers: readonly Header[] },
): boolean {
  const one = (name: string): string | undefined => {
    const values = valuesOf(reply.headers, name);
    return values.length === 1 ? values[0] : undefined;
  };
  const offered = valuesOf(call.headers, "sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((name) => name.trim());
  const protocols = valuesOf(reply.headers, "sec-websocket-protocol");
  const [key = ""] = valuesOf(call.headers, "sec-websocket-key");
  return (
    reply.status === 101 &&
    one("upgrade")?.toLowerCase() === "websocket" &&
    valuesOf(reply.headers, "connection").some((value) =>
      /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(value),
    ) &&
    one("sec-websocket-accept") === acceptKey(key) &&
    valuesOf(reply.headers, "sec-websocket-extensions").length === 0 &&
    protocols.length <= 1 &&
    protocols.every((name) => offered.includes(name))
  );
}

/** Section 4.2.2. */
function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
