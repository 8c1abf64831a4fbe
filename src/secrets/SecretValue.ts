import { inspect } from "node:util";

const HIDDEN = "[secret]";

/**
 * A secret that hides itself from string conversion, JSON, `util.inspect` and error messages.
 *
 * Only `broker/inject`, `broker/redact` and the stores may call `revealSecret()`; the import test
 * looks for the name.
 */
export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The real value. Whoever calls this is responsible for every place the result goes. */
  revealSecret(): string {
    return this.#value;
  }

  equals(other: SecretValue): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN;
  }
}
