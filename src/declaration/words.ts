import { z } from "zod";

/** The words that several parts of the schema are made of. */

const NAME = /^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HOST =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const name = z
  .string()
  .regex(NAME, "lower-case letters, digits and hyphens, at most 32, starting with a letter");

export const secretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "lower-case letters, digits, '.', '_' and '-', at most 63");

export const port = z.int().min(1).max(65535);

export const variable = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, "upper-case letters, digits and '_'");

export const origin = z
  .string()
  .regex(/^https?:\/\/[^/?#@\s]+$/, 'scheme and host, as "https://api.example.com"');

/** A region or service of AWS, as `eu-central-1`. */
export const awsName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens");

export const hostName = z.string().regex(HOST, 'a host name, as "api.example.com"');

/** A name that a public certificate can be for: at least two labels, the last one no number (RFC 3696). */
export const publicName = z
  .string()
  .regex(HOST, 'a domain of yours, as "bots.example.com"')
  .regex(/\.[a-z][a-z0-9-]*$/, 'a domain of yours with its ending, as "bots.example.com"');

/** RFC 6901, to something below the root. */
export const pointer = z
  .string()
  .max(256)
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/, 'a JSON pointer, as "/auth/token"');

const CALL = String.raw`(?:\*|[A-Z]{3,16}) [a-z0-9.-]{0,253}\/[A-Za-z0-9._~!$&'()*+,=:@{}/-]*`;
const CALL_RULE = 'a method and a path, as "GET /api/v3/**"';

/** The method and path of a call, perhaps with the host before it. Braces are looked at by the plan. */
export const call = z
  .string()
  .max(1024)
  .regex(new RegExp(`^${CALL}$`), CALL_RULE);

/** The same, or `...` for the service's own list. */
export const callOrOwn = z
  .string()
  .max(1024)
  .regex(new RegExp(String.raw`^(?:\.\.\.|${CALL})$`), CALL_RULE);

const UNITS: Readonly<Record<string, number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** A number of bytes, or text such as `"64M"` (K, M, G, T: powers of 1024). */
export const bytes = z.union([
  z.int().min(1),
  z.string().regex(/^[1-9]\d{0,5}[KMGT]$/, 'a number of bytes, as 65536 or "64K"'),
]);

/** What `bytes` accepted, as a number. */
export function readBytes(declared: number | string): number {
  if (typeof declared === "number") return declared;
  return Number(declared.slice(0, -1)) * (UNITS[declared.slice(-1)] ?? 1);
}

/** Whether `text` is a host name in lower case without trailing dot (RFC 1123 section 2.1). */
export function isHostName(text: string): boolean {
  return HOST.test(text);
}
