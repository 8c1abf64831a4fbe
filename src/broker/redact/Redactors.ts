import type { SecretValue } from "../../secrets/index.ts";
import { Redactor } from "./Redactor.ts";

/** The redactors of a deployment, compiled once for each grant and again when its secret has changed. */
export class Redactors {
  /** By phantom, of which every grant has its own. */
  readonly #made = new Map<
    string,
    { readonly values: readonly string[]; readonly redactor: Redactor }
  >();

  /** @param others to be taken out as well. */
  get(secret: SecretValue, phantom: string, others: readonly SecretValue[] = []): Redactor {
    const values = [secret, ...others].map((each) => each.revealSecret());
    const made = this.#made.get(phantom);
    if (
      made?.values.length === values.length &&
      values.every((value, index) => made.values[index] === value)
    )
      return made.redactor;
    const redactor = new Redactor(secret, phantom, others);
    this.#made.set(phantom, { values, redactor });
    return redactor;
  }
}
