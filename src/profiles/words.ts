import { CONCESSIONS, type ConcessionName } from "./Profile.ts";

/** What a profile's name may be; it becomes a file's name. */
export const PROFILE_NAME = /^[A-Za-z0-9](?:[\w-]{0,62}[A-Za-z0-9])?$/;

/** Names in the vault, of services and of nono's keystore accounts. */
export const SECRET_NAME = /^[A-Za-z0-9](?:[\w.-]{0,62}[A-Za-z0-9])?$/;

/** A host's name with a dot in it (RFC 1123 section 2.1); no address, no pattern, no port. */
export function isHost(value: unknown): value is string {
  if (typeof value !== "string" || value.length > 253) return false;
  const labels = value.split(".");
  return (
    labels.length > 1 &&
    labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? "")
  );
}

export function isConcession(value: unknown): value is ConcessionName {
  return CONCESSIONS.some((name) => name === value);
}

export function isPort(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}

/** As the shells have it (environ(7)). */
export function isVariable(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z_]\w*$/.test(value);
}
