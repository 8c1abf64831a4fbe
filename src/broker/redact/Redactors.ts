import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Credential } from "../inject/Credential.ts";
import { Redactor } from "./Redactor.ts";

/** The redactors of a deployment, compiled once for each grant and again when its secret has changed. */
export class Redactors {
  /** By phantom, of which every grant has its own. */
  readonly #made = new Map<
    string,
    { readonly values: readonly string[]; readonly redactor: Redactor }
  >();

  get(
    { secret, others, aws }: Credential,
    { phantom, phantomSecret }: Pick<InjectBrokerGrant, "phantom" | "phantomSecret">,
  ): Redactor {
    const values = [secret, ...others].map((each) => each.revealSecret());
    const made = this.#made.get(phantom);
    if (
      made?.values.length === values.length &&
      values.every((value, index) => made.values[index] === value)
    )
      return made.redactor;
    // Of signed calls no length may change: clients of S3 count on Content-Length.
    const redactor =
      aws === undefined
        ? new Redactor(secret, phantom, others)
        : new Redactor(secret, phantomSecret ?? phantom, others, true);
    this.#made.set(phantom, { values, redactor });
    return redactor;
  }

  /** Whether a text that is there as a whole holds a secret of any of these grants, in any spelling. */
  anyIn(bytes: Buffer): boolean {
    return [...this.#made.values()].some(({ redactor }) => redactor.isIn(bytes));
  }
}
