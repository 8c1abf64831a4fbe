import type { StoreRequest, StoreResult } from "../secrets/index.ts";
import type { FromBroker } from "./protocol.ts";

/** The broker's side of the processes that read stores for it, which the supervisor starts. */
export class StoreProcess {
  readonly #send: (message: FromBroker) => void;
  readonly #waiting = new Map<number, (results: readonly StoreResult[]) => void>();
  #last = 0;

  constructor(send: (message: FromBroker) => void) {
    this.#send = send;
  }

  ask(request: StoreRequest): Promise<readonly StoreResult[]> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<readonly StoreResult[]>();
    this.#waiting.set(id, resolve);
    this.#send({ type: "read-secrets", id, request });
    return promise;
  }

  answer(id: number, results: readonly StoreResult[]): void {
    this.#waiting.get(id)?.(results);
    this.#waiting.delete(id);
  }
}
