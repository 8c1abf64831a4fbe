import type { InjectBrokerGrant } from "../Deployment.ts";
import type { Credential } from "../inject/Credential.ts";
import { SecretValue } from "../../secrets/index.ts";
import { Redactor } from "./Redactor.ts";

/** So long after a secret has got another value replies are still searched for the one before. */
const KEPT_MS = 60 * 60_000;
/** Of values before, the latest: each costs every reply some time. */
const MOST_BEFORE = 3;

interface Made {
  readonly values: readonly string[];
  /** Values before, the latest first. */
  readonly before: readonly { readonly value: string; readonly until: number }[];
  readonly redactor: Redactor;
}

/**
 * The redactors of a deployment, compiled once for each grant and again when its secret has changed. A value that
 * was replaced is looked for beside the new one for an hour: the service may still say it, and take it.
 */
export class Redactors {
  /** By phantom, of which every grant has its own. */
  readonly #made = new Map<string, Made>();
  readonly #earlier: ReadonlyMap<string, Made>;
  readonly #now: () => number;

  /** @param earlier those of the deployment before: what was replaced, then or by this one, is looked for still. */
  constructor(earlier?: Redactors, now: () => number = Date.now) {
    this.#earlier = new Map(earlier === undefined ? [] : [...earlier.#earlier, ...earlier.#made]);
    this.#now = now;
  }

  get(
    { secret, others, aws }: Credential,
    { phantom, phantomSecret }: Pick<InjectBrokerGrant, "phantom" | "phantomSecret">,
  ): Redactor {
    const values = [secret, ...others].map((each) => each.revealSecret());
    const now = this.#now();
    const made = this.#made.get(phantom);
    if (
      made?.values.length === values.length &&
      values.every((value, index) => made.values[index] === value) &&
      !made.before.some(({ until }) => until <= now)
    )
      return made.redactor;
    const last = made ?? this.#earlier.get(phantom);
    const before = [
      ...(last?.values ?? []).map((value) => ({ value, until: now + KEPT_MS })),
      ...(last?.before ?? []),
    ]
      .filter(({ value, until }) => !values.includes(value) && until > now)
      .filter(({ value }, index, all) => all.findIndex((each) => each.value === value) === index)
      .slice(0, MOST_BEFORE);
    const searched = [...others, ...before.map(({ value }) => new SecretValue(value))];
    // Of signed calls no length may change: clients of S3 count on Content-Length.
    const redactor =
      aws === undefined
        ? new Redactor(secret, phantom, searched)
        : new Redactor(secret, phantomSecret ?? phantom, searched, true);
    this.#made.set(phantom, { values, before, redactor });
    return redactor;
  }

  /** Whether this is the one that replies by a grant are to be searched with now. */
  isCurrent(phantom: string, redactor: Redactor): boolean {
    const made = this.#made.get(phantom);
    return made?.redactor === redactor && (made.before[0]?.until ?? Infinity) > this.#now();
  }

  /** Whether a text that is there as a whole holds a secret of any of these grants, in any spelling. */
  anyIn(bytes: Buffer): boolean {
    return [...this.#made.values()].some(({ redactor }) => redactor.isIn(bytes));
  }
}
