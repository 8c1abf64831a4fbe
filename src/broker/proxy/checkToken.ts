import { valuesOf, type Header } from "../match.ts";
import { equalInConstantTime, type PhantomIndex } from "../phantoms.ts";
import { refuse, type Refusal } from "../Refusal.ts";

/**
 * Whether a request at the explicit proxy may come in, and its headers without what was for the proxy
 * alone. With a token there must be exactly one Proxy-Authorization with it, as Bearer or as Basic's
 * password. Without one that header means nothing here and stays, to be looked at like any other.
 */
export function checkToken(
  headers: readonly Header[],
  token: string | undefined,
): readonly Header[] | Refusal {
  const rest = headers.filter(([name]) => name.toLowerCase() !== "proxy-connection");
  if (token === undefined) return rest;
  const given = valuesOf(headers, "proxy-authorization");
  const [value = ""] = given;
  if (given.length !== 1 || !equalInConstantTime(readToken(value), token))
    return refuse("proxy-token");
  return rest.filter(([name]) => name.toLowerCase() !== "proxy-authorization");
}

/** Why a CONNECT with these headers is refused though its token is right: a phantom in any of them. */
export function findPhantom(
  headers: readonly Header[],
  phantoms: PhantomIndex,
): Refusal | undefined {
  const texts = headers.flatMap(([name, value]) => [name, value, readToken(value)]);
  return texts.some((text) => phantoms.find(text) !== undefined)
    ? refuse("phantom-misplaced")
    : undefined;
}

/** The token of `Bearer token` or of `Basic base64(user:token)` (RFC 9110 section 11, RFC 7617); empty for anything else. */
function readToken(value: string): string {
  const [, scheme = "", credential = ""] =
    /^([A-Za-z]+) +([A-Za-z0-9\-._~+/]+=*)$/.exec(value) ?? [];
  if (scheme.toLowerCase() === "bearer") return credential;
  if (scheme.toLowerCase() !== "basic") return "";
  const pair = Buffer.from(credential, "base64").toString("latin1");
  const colon = pair.indexOf(":");
  return colon < 0 ? "" : pair.slice(colon + 1);
}
