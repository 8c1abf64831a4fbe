import type { SecretValue } from "../../secrets/index.ts";
import type { Header } from "../match.ts";
import { BrokenBase64Search } from "./BrokenBase64Search.ts";
import { EscapedSearch } from "./EscapedSearch.ts";
import { GrpcReplacer } from "./GrpcReplacer.ts";
import { compilePatterns, keepsLengths } from "./patterns.ts";
import { PatternSet } from "./PatternSet.ts";
import { StreamReplacer, type BesideSearch } from "./StreamReplacer.ts";

/** Shorter ones would be found in text that has nothing to do with them. */
const SHORTEST = 8;

/** Takes secrets out of replies and puts the phantom in their place (invariant 6). One serves any number of replies. */
export class Redactor {
  readonly #set: PatternSet;
  readonly #beside: readonly BesideSearch[];
  readonly #shortest: number;
  /** Whether a reply is exactly as long after redaction as before. */
  readonly keepsLengths: boolean;

  /**
   * @param others to be taken out as well, those that are long enough.
   * @param fitted what takes a secret's place is cut or filled to its length, however it is spelled.
   */
  constructor(
    secret: SecretValue,
    phantom: string,
    others: readonly SecretValue[] = [],
    fitted = false,
  ) {
    const more = others
      .map((each) => each.revealSecret())
      .filter(({ length }) => length >= SHORTEST);
    const values = [...new Set([secret.revealSecret(), ...more])];
    const fit = (text: string, { length }: { readonly length: number }): string =>
      fitted ? text.slice(0, length).padEnd(length, "A") : text;
    const replacements = values.flatMap((value) =>
      compilePatterns(value, fit(phantom, value)).map(({ pattern, replacement }) => ({
        pattern,
        replacement: Buffer.from(fit(replacement.toString("latin1"), pattern), "latin1"),
      })),
    );
    this.#set = new PatternSet(replacements);
    this.#beside = values.flatMap((value) => [
      new EscapedSearch(value, fit(phantom, value), this.#set.alphabet),
      new BrokenBase64Search(value, fit(phantom, value)),
    ]);
    this.#shortest = Math.min(...replacements.map(({ pattern }) => pattern.length));
    this.keepsLengths = keepsLengths(replacements);
  }

  /** For a text whose characters stand for bytes (latin1), as Node gives header values. */
  text(value: string): string {
    if (value.length < this.#shortest) return value;
    const replacer = this.stream();
    const out = replacer.push(Buffer.from(value, "latin1"));
    const rest = replacer.end();
    return replacer.count === 0 ? value : Buffer.concat([out, rest]).toString("latin1");
  }

  /** Redacts values; a header whose very name holds the secret is left out. */
  headers(headers: readonly Header[]): Header[] {
    const out: Header[] = [];
    for (const header of headers) {
      const [name, value] = header;
      if (name.length >= this.#shortest && this.#isInName(name)) continue;
      const redacted = this.text(value);
      out.push(redacted === value ? header : [name, redacted]);
    }
    return out;
  }

  #isInName(name: string): boolean {
    const lower = name.toLowerCase();
    return this.text(name) !== name || this.text(lower) !== lower;
  }

  /** Whether the secret stands in it, in any of the ways in which it is looked for. */
  isIn(bytes: Buffer): boolean {
    const replacer = this.stream();
    replacer.push(bytes);
    replacer.end();
    return replacer.count > 0;
  }

  /** For a body, one per reply; or for one message of a stream of them. @param type the body's Content-Type. */
  stream(type = ""): StreamReplacer | GrpcReplacer {
    const make = (): StreamReplacer => new StreamReplacer(this.#set, this.#beside);
    return /^application\/grpc(?:-web)?(?:$|[+; ])/i.test(type)
      ? new GrpcReplacer(make, this.keepsLengths)
      : make();
  }
}
