import { createHash } from "node:crypto";
import { FingerprintSearch, type Fingerprints } from "../../needles/index.ts";
import { ShapeFinder } from "../../shapes/index.ts";

/** What stands at [start, end) of a stream. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** From 1. */
  readonly line: number;
  /** Of the bytes, to know them again. */
  readonly digest: string;
  readonly what:
    | { readonly kind: "secret"; readonly secret: string; readonly spelling: string }
    | { readonly kind: "shape"; readonly rule: string };
}

/** More than any shape is long: a private key in PEM has 3 KB. */
const LONGEST_SHAPE = 8192;
/** What a rule may want to see in front of a match. */
const CONTEXT = 64;
/** After this many in one stream the rest would say nothing new. */
const MOST_MATCHES = 100;

interface Hit {
  readonly start: number;
  readonly end: number;
  readonly what: Match["what"];
}

/** Looks for values and shapes in streams of bytes. */
export class Matcher {
  readonly #search: FingerprintSearch;
  readonly #keep: number;
  readonly #shapes = new ShapeFinder();

  constructor(fingerprints: Fingerprints) {
    this.#search = new FingerprintSearch(fingerprints);
    this.#keep = Math.max(LONGEST_SHAPE, this.#search.longest);
  }

  /**
   * Matches in a stream, in order; at most so many that they still say something.
   *
   * @param chunks whatever is still to be read; looked at in windows that overlap by more than the
   *   longest match, so that none is cut.
   * @param shapes whether rules are tried as well: on text only.
   */
  async match(
    chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
    { path, shapes }: { readonly path: string; readonly shapes: boolean },
  ): Promise<Match[]> {
    const matches: Match[] = [];
    let held = Buffer.alloc(0);
    let base = 0;
    /** Of `held`: what is before has been looked at. */
    let from = 0;
    let line = 1;
    const look = async (upTo: number): Promise<void> => {
      const hits = (await this.#hits(held, path, shapes)).filter(
        ({ start }) => start >= from && start < upTo,
      );
      let counted = from;
      for (const { start, end, what } of hits) {
        line += countLines(held, counted, start);
        counted = start;
        if (matches.length < MOST_MATCHES)
          matches.push({
            start: base + start,
            end: base + end,
            line,
            digest: digestOf(held.subarray(start, end)),
            what,
          });
      }
      line += countLines(held, counted, upTo);
      from = upTo;
    };
    for await (const chunk of chunks) {
      held = Buffer.concat([held, chunk]);
      if (held.length < 2 * this.#keep) continue;
      await look(held.length - this.#keep);
      const drop = Math.max(0, from - CONTEXT);
      held = held.subarray(drop);
      base += drop;
      from -= drop;
    }
    await look(held.length);
    return matches;
  }

  /** Whether a name holds a value: it must not be repeated then. */
  holdsValue(text: string): boolean {
    return this.#search
      .find(Buffer.from(text))
      .some(({ fingerprint }) => fingerprint.kind === "secret");
  }

  /** Sorted; of several at one place the first. A shape that a phantom or a value has isn't told. */
  async #hits(bytes: Buffer, path: string, shapes: boolean): Promise<Hit[]> {
    const found = this.#search.find(bytes);
    const secrets = found.flatMap(({ start, end, fingerprint: { kind, name, spelling } }): Hit[] =>
      kind === "secret" ? [{ start, end, what: { kind, secret: name, spelling } }] : [],
    );
    const shaped = shapes ? await this.#shapes.find(bytes.toString("latin1"), path) : [];
    const others = shaped
      .filter((shape) => !found.some((hit) => hit.start < shape.end && shape.start < hit.end))
      .map(({ start, end, rule }): Hit => ({ start, end, what: { kind: "shape", rule } }));
    const sorted = [...secrets, ...others].toSorted((a, b) => a.start - b.start || b.end - a.end);
    let reached = 0;
    return sorted.filter(({ start, end }) => {
      if (start < reached) return false;
      reached = end;
      return true;
    });
  }
}

function countLines(bytes: Buffer, from: number, to: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1))
    lines++;
  return lines;
}

/** What tells one stretch of bytes from another. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
