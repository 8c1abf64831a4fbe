import type { AuditStart } from "../audit/AuditRecord.ts";
import type { Decision } from "../decide/decide.ts";
import type { Deployment } from "../Deployment.ts";
import type { HeadParts } from "../http/h1/headKey.ts";
import type { VisitHead } from "../http/Visit.ts";
import type { Outgoing } from "../inject/inject.ts";
import type { Arrival } from "../identify.ts";
import type { Call } from "../match.ts";
import type { Redactor } from "../redact/Redactor.ts";
import type { SecretValue } from "../../secrets/index.ts";

/**
 * A call that went out before, and all that was decided of it by its head alone: by the same
 * configuration, with the same value of the secret, it is decided alike again.
 */
export interface KnownCall {
  readonly head: VisitHead;
  readonly persistent: boolean;
  /** Of its body; `undefined` where it may be another each time. */
  readonly length: number | undefined;
  readonly call: Call;
  readonly decision: Decision;
  /** Frozen. */
  readonly start: AuditStart;
  readonly secret: SecretValue;
  readonly redactor: Redactor;
  readonly outgoing: Outgoing;
  /** The head of that, as it is written. */
  readonly sent: HeadParts;
}

/** Where the calls come from that are alike if their heads are. */
export type Origin = Arrival & {
  readonly tls: { readonly serverName: string | undefined } | undefined;
};

/** Of one origin. When there are more, all are forgotten: then heads are hardly ever alike. */
const MOST_HEADS = 32;

/**
 * The calls whose way is known: the same bot, at the same address, port and server name, sends the same head
 * again. What is remembered is the result of pure functions of these and of the deployment, which
 * forgets them all when it is replaced; nothing is decided here.
 *
 * Keys hold phantoms and are looked up by a hash map. Whoever could measure that has sent the head, or is
 * the same bot, which has its phantoms.
 */
export class KnownCalls {
  #deployment: Deployment | undefined;
  #byOrigin = new Map<string, Map<string, KnownCall>>();

  /** @param key of the head, by `headKey`. */
  find(deployment: Deployment, origin: string, key: string): KnownCall | undefined {
    return deployment === this.#deployment ? this.#byOrigin.get(origin)?.get(key) : undefined;
  }

  /** For calls that were let through, so the origins are granted ones. */
  learn(deployment: Deployment, origin: string, key: string, known: KnownCall): void {
    if (deployment !== this.#deployment) {
      this.#deployment = deployment;
      this.#byOrigin = new Map();
    }
    let heads = this.#byOrigin.get(origin);
    if (heads === undefined || heads.size >= MOST_HEADS) {
      heads = new Map();
      this.#byOrigin.set(origin, heads);
    }
    heads.set(key, known);
  }
}

/** One text for all connections of an origin. */
export function originKey({ bot, address, port, tls }: Origin): string {
  return JSON.stringify([bot, address, port, tls?.serverName ?? null, tls === undefined]);
}
