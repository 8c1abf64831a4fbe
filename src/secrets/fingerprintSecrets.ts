import { makeFingerprints, SHORTEST_NEEDLE, type Fingerprints } from "../needles/index.ts";
import type { SecretValue } from "./SecretValue.ts";

/** A value under the name it goes by. */
export interface NamedSecret {
  readonly name: string;
  readonly value: SecretValue;
}

/** Lines shorter than this may stand in other files, too. */
const SHORTEST_LINE = 32;

/**
 * Makes of real values what a search needs to recognise them and nothing they could be told from. A
 * value of several lines (a key in PEM, a service account) is also recognised by its long lines and
 * strings, since programs keep such things in pieces.
 *
 * @param phantoms worthless tokens that are where they belong, by name.
 * @returns also the names of values too short to look for.
 */
export function fingerprintSecrets(
  secrets: readonly NamedSecret[],
  phantoms: readonly { readonly name: string; readonly value: string }[] = [],
): { readonly fingerprints: Fingerprints; readonly tooShort: readonly string[] } {
  const real = secrets.map(({ name, value }) => ({ name, text: value.revealSecret() }));
  const isLongEnough = (text: string): boolean => Buffer.byteLength(text) >= SHORTEST_NEEDLE;
  return {
    fingerprints: makeFingerprints([
      ...real.flatMap(({ name, text }) =>
        [...new Set([text, ...piecesOf(text)])]
          .filter(isLongEnough)
          .map((value) => ({ name, kind: "secret" as const, value })),
      ),
      ...phantoms
        .filter(({ value }) => isLongEnough(value))
        .map(({ name, value }) => ({ name, kind: "phantom" as const, value })),
    ]),
    tooShort: real.filter(({ text }) => !isLongEnough(text)).map(({ name }) => name),
  };
}

/** Unbroken runs of what keys are written in. */
function piecesOf(text: string): string[] {
  if (!/[\n{]/.test(text)) return [];
  const pieces = text.replaceAll("\\n", "\n").match(/[A-Za-z0-9+/=_-]+/g) ?? [];
  // Addresses and names have no upper case.
  return pieces.filter(
    (piece) => piece.length >= SHORTEST_LINE && /\d/.test(piece) && /[A-Z]/.test(piece),
  );
}
