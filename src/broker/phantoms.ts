import { randomInt, timingSafeEqual } from "node:crypto";
import type { PatternSet } from "./redact/PatternSet.ts";

/**
 * All phantoms of a deployment: to find one that stands where it should not, and to keep them out of
 * records.
 *
 * A search tells by its duration nothing of how much of a phantom somebody has guessed: each stretch
 * of the text, as long as the shortest phantom, is reduced to a number by a key that nobody knows,
 * and only where that number is the one of a phantom's end is it compared, in constant time.
 */
export class PhantomIndex {
  readonly #exact: PhantomSearch;
  readonly #lower: PhantomSearch;
  readonly #foreign: ReadonlyMap<string, PatternSet>;

  /** @param foreign by bot: those that another bot has. */
  constructor(phantoms: readonly string[], foreign: ReadonlyMap<string, PatternSet> = new Map()) {
    this.#exact = new PhantomSearch(phantoms);
    this.#lower = new PhantomSearch(phantoms.map((phantom) => phantom.toLowerCase()));
    this.#foreign = foreign;
  }

  /** A phantom in `text`, read plainly and with its percent-encoding undone. */
  find(text: string): string | undefined {
    const found = this.#exact.find(text);
    if (found !== undefined || !text.includes("%")) return found?.phantom;
    return this.#exact.find(decodePercent(text))?.phantom;
  }

  /** Whether a body that is there as a whole holds another bot's phantom. */
  hasForeign(bot: string, body: Buffer): boolean {
    return this.#foreign.get(bot)?.find(body, 0) !== undefined;
  }

  /** `text` with every phantom, in any case of letters, replaced by `{phantom}`. */
  scrub(text: string): string {
    let out = text;
    for (;;) {
      const found = this.#lower.find(out.toLowerCase());
      if (found === undefined) return out;
      const { at, phantom } = found;
      out = `${out.slice(0, at)}{phantom}${out.slice(at + phantom.length)}`;
    }
  }
}

/** A rolling hash (Rabin and Karp) over stretches of the shortest phantom's length, by a random base. */
class PhantomSearch {
  readonly #width: number;
  readonly #base = randomInt(2 ** 30, 2 ** 31) * 2 + 1;
  /** `base` to the power of `width`: what the character that leaves the stretch counts by then. */
  readonly #leaving: number;
  /** By the hash of its end, since phantoms begin alike; the longest first. */
  readonly #byEnd = new Map<number, string[]>();
  /** Whether a hash with these twelve upper bits is in the map. */
  readonly #maybe = new Uint8Array(4096);

  constructor(phantoms: readonly string[]) {
    this.#width = Math.min(...phantoms.map((phantom) => phantom.length));
    let leaving = 1;
    for (let turn = 0; phantoms.length > 0 && turn < this.#width; turn += 1)
      leaving = Math.imul(leaving, this.#base);
    this.#leaving = leaving;
    for (const phantom of phantoms.toSorted((a, b) => b.length - a.length)) {
      let hash = 0;
      for (let at = phantom.length - this.#width; at < phantom.length; at += 1)
        hash = (Math.imul(hash, this.#base) + phantom.charCodeAt(at)) | 0;
      this.#maybe[hash >>> 20] = 1;
      this.#byEnd.set(hash, [...(this.#byEnd.get(hash) ?? []), phantom]);
    }
  }

  /** The phantom that ends first; of several that end there the longest. */
  find(text: string): { readonly phantom: string; readonly at: number } | undefined {
    const width = this.#width;
    if (text.length < width) return undefined;
    let hash = 0;
    for (let at = 0; at < text.length; at += 1) {
      hash = (Math.imul(hash, this.#base) + text.charCodeAt(at)) | 0;
      if (at >= width) hash = (hash - Math.imul(text.charCodeAt(at - width), this.#leaving)) | 0;
      if (this.#maybe[hash >>> 20] === 0) continue;
      for (const phantom of this.#byEnd.get(hash) ?? []) {
        const start = at + 1 - phantom.length;
        if (start >= 0 && equalInConstantTime(text.slice(start, at + 1), phantom))
          return { phantom, at: start };
      }
    }
    return undefined;
  }
}

/** Compares without telling by its duration where two texts differ. A phantom's length is no secret: its shape is public. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Undoes percent-encoding byte by byte, leaving what isn't well formed as it is. */
export function decodePercent(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
