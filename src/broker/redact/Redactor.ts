import type { SecretValue } from "../../secrets/index.ts";
import type { Header } from "../match.ts";
import { compilePatterns, keepsLengths, type Replacement } from "./patterns.ts";
import { StreamReplacer } from "./StreamReplacer.ts";

/** Takes one secret out of one reply and puts the phantom in its place (invariant 6). */
export class Redactor {
  readonly #replacements: readonly Replacement[];
  /** Whether a reply is exactly as long after redaction as before. */
  readonly keepsLengths: boolean;

  constructor(secret: SecretValue, phantom: string) {
    this.#replacements = compilePatterns(secret.revealSecret(), phantom);
    this.keepsLengths = keepsLengths(this.#replacements);
  }

  /** For a text whose characters stand for bytes (latin1), as Node gives header values. */
  text(value: string): string {
    const replacer = this.stream();
    return Buffer.concat([replacer.push(Buffer.from(value, "latin1")), replacer.end()]).toString(
      "latin1",
    );
  }

  /** Redacts values; a header whose very name holds the secret is left out. */
  headers(headers: readonly Header[]): Header[] {
    return headers
      .filter(
        ([name]) =>
          this.text(name) === name && this.text(name.toLowerCase()) === name.toLowerCase(),
      )
      .map(([name, value]) => [name, this.text(value)]);
  }

  /** For a body: one per reply. */
  stream(): StreamReplacer {
    return new StreamReplacer(this.#replacements);
  }
}
