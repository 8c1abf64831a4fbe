import { createHmac } from "node:crypto";
import { canonicalRequest, sha256Hex, type SignedRequest } from "./canonicalRequest.ts";

export const ALGORITHM = "AWS4-HMAC-SHA256";

/** Where and when a signature counts. */
export interface Scope {
  /** `20150830T123600Z`. */
  readonly time: string;
  readonly region: string;
  readonly service: string;
}

/** `20150830/us-east-1/s3/aws4_request`. */
export function scopeText({ time, region, service }: Scope): string {
  return `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
}

/** Hex of the signature of a request (steps 2 to 4 of AWS's description). */
export function signatureOf(secretKey: string, request: SignedRequest, scope: Scope): string {
  const toSign = [ALGORITHM, scope.time, scopeText(scope), sha256Hex(canonicalRequest(request))];
  let key: string | Buffer = `AWS4${secretKey}`;
  for (const part of [scope.time.slice(0, 8), scope.region, scope.service, "aws4_request"])
    key = createHmac("sha256", key).update(part).digest();
  return createHmac("sha256", key).update(toSign.join("\n")).digest("hex");
}

/** A moment as AWS writes it: ISO 8601, basic form, UTC. */
export function awsTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

/** The moment that a text of that form names; `undefined` when it is none. */
export function readAwsTime(text: string): number | undefined {
  const [, date, time] =
    /^(\d{8})T(\d{6})Z$/
      .exec(text)
      ?.map((digits, index) =>
        index === 1
          ? digits.replace(/^(....)(..)/, "$1-$2-")
          : digits.replace(/^(..)(..)/, "$1:$2:"),
      ) ?? [];
  const ms = Date.parse(`${date ?? ""}T${time ?? ""}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
