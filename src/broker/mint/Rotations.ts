import type { SecretValue } from "../../secrets/index.ts";
import type { FromBroker } from "../protocol.ts";

interface Rotated {
  /** What the store holds, which the provider takes no more. */
  readonly stored: string;
  readonly current: SecretValue;
}

/**
 * Refresh tokens that a provider replaced. The broker writes nothing but its record (invariant 10) and the
 * new value may exist nowhere but in a store and here (invariant 1), so it stays here and a
 * warning says so: until the owner authorizes anew, it is lost with the process.
 */
export class Rotations {
  readonly #send: (message: FromBroker) => void;
  /** By the name of the stored secret. */
  readonly #rotated = new Map<string, Rotated>();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(send: (message: FromBroker) => void) {
    this.#send = send;
  }

  /** One after the other for each secret, whatever becomes of those before. */
  async inTurn<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(act, act);
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }

  /** What took the place of the stored value, if anything did. A store that holds another one by now is right. */
  current(name: string, stored: SecretValue | undefined): SecretValue | undefined {
    const rotated = this.#rotated.get(name);
    if (rotated === undefined) return undefined;
    if (rotated.stored === stored?.revealSecret()) return rotated.current;
    this.#rotated.delete(name);
    this.#send({ type: "health-clear", key: `rotated:${name}` });
    return undefined;
  }

  replace(name: string, stored: SecretValue | undefined, next: SecretValue): void {
    if (stored === undefined) return;
    const before = this.current(name, stored) ?? stored;
    if (before.revealSecret() === next.revealSecret()) return;
    this.#rotated.set(name, { stored: stored.revealSecret(), current: next });
    this.#send({
      type: "health",
      key: `rotated:${name}`,
      warning: `the provider replaced the refresh token that secret "${name}" holds; the new one is in the broker's memory only and is lost when the broker ends`,
      remedy: `when the broker was restarted, authorize anew and store what you get: seawall secret set ${name}; if the provider can, switch the rotation of refresh tokens off`,
    });
  }
}
