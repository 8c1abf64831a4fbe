import type { SecretValue } from "../../secrets/index.ts";
import { Redactor } from "./Redactor.ts";

/** The redactors of a deployment, compiled once for each grant and again when its secret has changed. */
export class Redactors {
  /** By phantom, of which every grant has its own. */
  readonly #made = new Map<string, { readonly value: string; readonly redactor: Redactor }>();

  get(secret: SecretValue, phantom: string): Redactor {
    const value = secret.revealSecret();
    const made = this.#made.get(phantom);
    if (made?.value === value) return made.redactor;
    const redactor = new Redactor(secret, phantom);
    this.#made.set(phantom, { value, redactor });
    return redactor;
  }

  /** Whether a text that is there as a whole holds a secret of any of these grants, in any spelling. */
  anyIn(bytes: Buffer): boolean {
    return [...this.#made.values()].some(({ redactor }) => redactor.isIn(bytes));
  }
}
