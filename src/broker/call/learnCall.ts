import type { AuditStart } from "../audit/AuditRecord.ts";
import type { Decision } from "../decide/decide.ts";
import type { Deployment } from "../Deployment.ts";
import { composeRequest } from "../http/h1/composeRequest.ts";
import { H1Visit } from "../http/h1/H1Visit.ts";
import { splitAtLength } from "../http/h1/headKey.ts";
import type { Visit } from "../http/Visit.ts";
import type { Credential } from "../inject/Credential.ts";
import type { Outgoing } from "../inject/inject.ts";
import { valuesOf, type Call } from "../match.ts";
import type { Redactor } from "../redact/Redactor.ts";
import { originKey, type KnownCalls, type Origin } from "./KnownCalls.ts";

/** What is known of a call that goes out. */
export interface Learnt {
  readonly deployment: Deployment;
  readonly origin: Origin;
  readonly visit: Visit;
  readonly call: Call;
  readonly decision: Decision;
  readonly start: AuditStart;
  readonly credential: Credential;
  readonly outgoing: Outgoing;
  readonly redactor: Redactor;
}

/**
 * Remembers a call that nothing but its head decided: no body was read for it, nobody asked, no message
 * looked at, nothing signed or made.
 */
export function learnCall(known: KnownCalls, learnt: Learnt): void {
  const { deployment, origin, visit, call, decision, start, credential, outgoing } = learnt;
  const { grant } = decision.granted;
  if (!(visit instanceof H1Visit) || visit.key === undefined || origin.named !== undefined) return;
  const plain =
    call.content === undefined &&
    call.upgrade === undefined &&
    call.body !== "chunked" &&
    outgoing.body === undefined &&
    outgoing.opaque === undefined &&
    valuesOf(call.headers, "content-encoding").length === 0;
  const steady =
    decision.verdict === "allow" &&
    grant.content === undefined &&
    grant.dial?.clientCertificate === undefined &&
    credential.aws === undefined &&
    !deployment.minted.has(grant.secret);
  if (!plain || !steady) return;
  const parts = splitAtLength(composeRequest(outgoing).head, visit.key.length);
  if (parts === undefined) return;
  known.learn(deployment, originKey(origin), visit.key.key, {
    head: visit.head,
    persistent: visit.persistent,
    length: visit.key.length === undefined ? visit.length : undefined,
    call,
    decision,
    start: Object.freeze({ ...start }),
    secret: credential.secret,
    redactor: learnt.redactor,
    outgoing,
    sent: parts,
  });
}
