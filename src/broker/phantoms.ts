import { timingSafeEqual } from "node:crypto";

/** All phantoms of a deployment: to find one that stands where it should not, and to keep them out of records. */
export class PhantomIndex {
  readonly #phantoms: readonly string[];
  readonly #lower: readonly string[];

  constructor(phantoms: readonly string[]) {
    // The longest first, so that scrubbing one that contains another leaves nothing of it.
    this.#phantoms = phantoms.toSorted((a, b) => b.length - a.length);
    this.#lower = this.#phantoms.map((phantom) => phantom.toLowerCase());
  }

  /** The first phantom in `text`, read plainly and with its percent-encoding undone. */
  find(text: string): string | undefined {
    const decoded = text.includes("%") ? decodePercent(text) : text;
    return this.#phantoms.find((phantom) => text.includes(phantom) || decoded.includes(phantom));
  }

  /** `text` with every phantom, in any case of letters, replaced by `{phantom}`. */
  scrub(text: string): string {
    let out = text;
    for (const phantom of this.#lower) {
      for (
        let at = out.toLowerCase().indexOf(phantom);
        at >= 0;
        at = out.toLowerCase().indexOf(phantom)
      ) {
        out = `${out.slice(0, at)}{phantom}${out.slice(at + phantom.length)}`;
      }
    }
    return out;
  }
}

/** Compares without telling by its duration where two texts of the same length differ. */
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
