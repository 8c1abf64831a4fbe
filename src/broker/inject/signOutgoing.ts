import { sha256Hex } from "../aws/canonicalRequest.ts";
import { ALGORITHM, awsTime, scopeText, signatureOf } from "../aws/signature.ts";
import type { SigV4Place } from "../decide/awsPlace.ts";
import { valuesOf, type Header } from "../match.ts";
import type { AwsKey } from "./fetchAwsKey.ts";
import type { Outgoing } from "./inject.ts";

/** The bot's signature, checked. */
export interface CheckedSignature {
  readonly place: SigV4Place;
  /** Lower case. */
  readonly signed: readonly string[];
  /** Of the bot's body, as it said. */
  readonly payload: string;
}

/** Set anew. */
const REPLACED: ReadonlySet<string> = new Set([
  "authorization",
  "x-amz-date",
  "x-amz-security-token",
]);
/** What something on the way may change, or we do. */
const NEVER_SIGNED: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "expect",
  "te",
  "trailer",
  "transfer-encoding",
  "user-agent",
  "x-amzn-trace-id",
]);
const ALWAYS_SIGNED = /^(?:host|content-type|content-md5|x-amz-.*)$/;

/**
 * Signs a request as it goes out, by the real key and the time of now: the bot's signature, its time and
 * whatever token it sent are gone. What the bot signed is signed again, as far as it is still there.
 */
export function signOutgoing(
  outgoing: Outgoing,
  { place, signed, payload }: CheckedSignature,
  key: AwsKey,
  now: number,
): Outgoing {
  const { region, service } = place;
  const time = awsTime(now);
  const hash = outgoing.body === undefined ? payload : sha256Hex(outgoing.body);
  const headers: Header[] = [
    ...outgoing.headers
      .filter(([name]) => !REPLACED.has(name.toLowerCase()))
      .map(([name, value]): Header =>
        name.toLowerCase() === "x-amz-content-sha256" ? [name, hash] : [name, value],
      ),
    ["X-Amz-Date", time],
    ...(key.session === undefined
      ? []
      : [["X-Amz-Security-Token", key.session.revealSecret()] as const]),
  ];
  // S3 wants to be told; others read the body's hash from the body itself.
  if (service.startsWith("s3") && valuesOf(headers, "x-amz-content-sha256").length === 0)
    headers.push(["X-Amz-Content-Sha256", hash]);
  const names = [...new Set(headers.map(([name]) => name.toLowerCase()))]
    .filter(
      (name) => ALWAYS_SIGNED.test(name) || (signed.includes(name) && !NEVER_SIGNED.has(name)),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
  const { method, target } = outgoing;
  const mark = target.indexOf("?");
  const [path, query] = mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark)];
  const scope = { time, region, service };
  const signature = signatureOf(
    key.secret.revealSecret(),
    { method, path, query, headers, signed: names, payload: hash, service },
    scope,
  );
  const value = `${ALGORITHM} Credential=${key.id}/${scopeText(scope)}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...outgoing, headers: [...headers, ["Authorization", value]] };
}
