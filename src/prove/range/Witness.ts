import { randomBytes } from "node:crypto";

/** A marker that occurs nowhere else; what the attackers look for has this form (`MARKER`). */
export function makeMarker(kind: string): string {
  return `swm-${kind}-${randomBytes(16).toString("hex")}`;
}

/** Sees what arrives outside: each attack puts its tag into what it sends. */
export class Witness {
  readonly #seen = new Map<string, string>();

  /** A label that a host name may have, too. */
  static tagFor(attack: string): string {
    return `swa-${attack.slice(0, 30)}-${randomBytes(6).toString("hex")}`;
  }

  /** Looks through what has come somewhere. */
  look(text: string, where: string): void {
    for (const [tag] of text.matchAll(/swa-[a-z0-9-]+-[0-9a-f]{12}/g)) this.#seen.set(tag, where);
  }

  /** Where something with this tag has arrived. */
  where(tag: string): string | undefined {
    return this.#seen.get(tag);
  }
}
