import { UsageError } from "../../UsageError.ts";
import type { Choice, Dialogue, Question } from "./Dialogue.ts";
import { items } from "./services.ts";

/**
 * Gets answers: from flags where they are given, else from the person at the terminal, else the usual ones.
 * What flags lack or have wrong is collected, so that a script hears all of it at once.
 */
export class Interview {
  readonly dialogue: Dialogue | undefined;
  readonly #missing: string[] = [];
  readonly #faults: string[] = [];

  /** @param dialogue absent where there is nobody to ask. */
  constructor(dialogue: Dialogue | undefined) {
    this.dialogue = dialogue;
  }

  /** @returns undefined when there is no answer, or a wrong one; `end` says so then. */
  async text(question: Question, given: string | undefined): Promise<string | undefined> {
    if (given !== undefined) return this.#checked(question, given.trim());
    if (this.dialogue !== undefined) return this.dialogue.text(question);
    return this.#usual(question);
  }

  async choose(question: Choice, given: string | undefined): Promise<string | undefined> {
    if (given !== undefined) return this.#checked(question, given.trim());
    if (this.dialogue !== undefined) return this.dialogue.choose(question);
    return this.#usual(question);
  }

  /** None unless somebody says so. */
  async chooseSome(question: Choice, given: string | undefined): Promise<readonly string[]> {
    if (given !== undefined)
      return [...new Set(items(given))].filter(
        (item) => this.#checked(question, item) !== undefined,
      );
    return (await this.dialogue?.chooseSome(question)) ?? [];
  }

  /** @param flag with what belongs behind it, as `--secret-file telegram=FILE`. */
  lacks(flag: string): void {
    this.#missing.push(flag);
  }

  /** @throws UsageError at once where there is a dialogue, which would go on in vain. */
  fault(flag: string, fault: string): void {
    this.#faults.push(`${flag}: ${fault}`);
    if (this.dialogue !== undefined) this.end();
  }

  /** @throws UsageError with everything that is missing or wrong */
  end(): void {
    const { length } = this.#faults;
    if (length > 0)
      throw new UsageError(
        length === 1
          ? this.#faults.join("")
          : `${length} answers can't be used\n${list(this.#faults)}`,
        this.#missing.length === 0
          ? "type: seawall init --help"
          : `and these are missing: ${this.#missing.join(", ")}`,
      );
    if (this.#missing.length > 0)
      throw new UsageError(
        `there is nobody to ask, and these are missing: ${this.#missing.join(", ")}`,
        "add them, or run it at a terminal; seawall init --help says what each is",
      );
  }

  #checked(question: Question, answer: string): string | undefined {
    const fault = question.check(answer);
    if (fault === undefined) return answer;
    this.fault(question.flag, fault);
    return undefined;
  }

  #usual(question: Question | Choice): string | undefined {
    const { usual, flag, ...rest } = question;
    // A file that is usually there may be missing.
    if (usual !== undefined) return this.#checked(question, usual);
    const names = "options" in rest ? rest.options.map(({ value }) => value).join("|") : "…";
    this.lacks(`${flag}${/^--(?:set|secret-at) /.test(flag) ? "=" : " "}${names}`);
    return undefined;
  }
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
