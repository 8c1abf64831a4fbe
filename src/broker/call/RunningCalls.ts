import { isDeepStrictEqual } from "node:util";
import type { BrokerGrant } from "../BrokerConfig.ts";
import { decide, type Decision } from "../decide/decide.ts";
import type { Deployment, Granted } from "../Deployment.ts";
import { UNKNOWN_GRANT } from "../gate/UnknownHosts.ts";
import { identify, identifyTls, narrowByHost } from "../identify.ts";
import type { Call } from "../match.ts";
import { isRefusal, type RefusalCode } from "../Refusal.ts";
import type { Connection } from "./handleCall.ts";

/** A call, tunnel or WebSocket on its way. */
export interface RunningCall {
  /** Whether it might begin now, by what is in force now. */
  recheck(deployment: Deployment): boolean;
  /** Ends it at once; what it recorded says why. */
  cut(code: RefusalCode): void;
}

/** All that runs, so that what a new configuration takes away ends with it. */
export class RunningCalls {
  readonly #running = new Set<RunningCall>();
  #inForce: Deployment | undefined;

  /**
   * @param decidedBy what was in force when the call came; another one may be by now.
   * @returns what takes it out again.
   */
  add(call: RunningCall, decidedBy: Deployment | undefined): () => void {
    this.#running.add(call);
    if (this.#inForce !== undefined && decidedBy !== this.#inForce && !call.recheck(this.#inForce))
      call.cut("grant-withdrawn");
    return () => {
      this.#running.delete(call);
    };
  }

  /** A deployment comes into force: cuts what it doesn't allow any more. */
  recheck(deployment: Deployment): void {
    this.#inForce = deployment;
    for (const call of this.#running) if (!call.recheck(deployment)) call.cut("grant-withdrawn");
  }
}

/**
 * Whether a call would be decided as it was: by the same grant, with the same secrets, to the same
 * place by the same way, and not to be asked about where it was allowed before. A rule about bodies that is new cuts a call whose body
 * has passed unread.
 */
export function callMayRun(
  deployment: Deployment,
  connection: Connection,
  call: Call,
  before: Decision,
): boolean {
  const bot = deployment.bots.get(connection.bot);
  const arrived =
    connection.tls === undefined
      ? identify(bot, connection)
      : identifyTls(bot, connection, connection.tls.serverName);
  const candidates = isRefusal(arrived) ? arrived : narrowByHost(arrived, call.host);
  if (isRefusal(candidates)) return false;
  const now = decide(candidates, call, deployment.phantoms);
  if (isRefusal(now)) return false;
  const { grant } = now.granted;
  return (
    grant.name === before.granted.grant.name &&
    grant.secret === before.granted.grant.secret &&
    sameDial(grant, before.granted.grant) &&
    (now.verdict === "allow" || before.verdict === "ask")
  );
}

/** A call that still waits for the owner must not go where the grant doesn't lead any more. */
function sameDial(now: BrokerGrant, before: BrokerGrant): boolean {
  return isDeepStrictEqual(now.dial, before.dial);
}

/** Whether a connection may be passed through still: the grant has the host at that address, as the same kind. */
export function tunnelMayRun(deployment: Deployment, { bot, grant, host }: Granted): boolean {
  const plan = deployment.bots.get(bot)?.plan;
  if (grant.name === UNKNOWN_GRANT) return plan?.unknownHosts === "ask";
  const there = plan?.grants.find((each) => each.name === grant.name);
  return (
    there?.kind === grant.kind &&
    there.hosts.some((each) => each.name === host.name && each.port === host.port)
  );
}
