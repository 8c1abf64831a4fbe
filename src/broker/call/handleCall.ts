import type { Audit } from "../audit/Audit.ts";
import type { AuditEnd, AuditStart } from "../audit/AuditRecord.ts";
import type { BodyRoom } from "../body/BodyRooms.ts";
import { readBody } from "../body/readBody.ts";
import { safePath } from "../audit/safePath.ts";
import { editCall } from "../content/editCall.ts";
import { isSignedNow } from "../decide/awsPlace.ts";
import { decide } from "../decide/decide.ts";
import type { Deployment } from "../Deployment.ts";
import { identify, identifyTls, narrowByHost, type Arrival } from "../identify.ts";
import type { Visit, VisitHead } from "../http/Visit.ts";
import type { Credential } from "../inject/Credential.ts";
import { inject } from "../inject/inject.ts";
import { readCall, type Call } from "../match.ts";
import { MintError } from "../mint/MintError.ts";
import { compilePhantoms } from "../redact/BodyScanner.ts";
import { isRefusal, refuse, type Refusal, type RefusalCode } from "../Refusal.ts";
import { needsBody } from "../rules/needsBody.ts";
import { checkHandshake } from "../websocket/handshake.ts";
import type { BrokerParts } from "./BrokerParts.ts";
import type { Renewed } from "./Exchange.ts";
import { fetchCredential } from "./fetchCredential.ts";
import { forward } from "./forward.ts";
import { learnCall } from "./learnCall.ts";
import { callMayRun } from "./RunningCalls.ts";
import { forwardUpgrade } from "./forwardUpgrade.ts";
import { replyRefused, statusOfRefusal } from "./replyRefused.ts";

/** A connection on which requests come, as it was identified when it was accepted. */
export interface Connection extends Arrival {
  /** For TLS: the server name as OpenSSL saw it, `undefined` when none was sent. */
  readonly tls: { readonly serverName: string | undefined } | undefined;
}

/**
 * The way of one call: identify → match → decide → fetch secret → inject → dial → stream and redact
 * → record. Every way out of here leaves one record and one answer (or a cut connection).
 */
export async function handleCall(
  parts: BrokerParts,
  connection: Connection,
  visit: Visit,
  head: VisitHead = visit.head,
): Promise<void> {
  const room = parts.bodies.enter(connection.bot);
  try {
    await treatCall(parts, connection, visit, head, room);
  } finally {
    room.leave();
  }
}

async function treatCall(
  parts: BrokerParts,
  connection: Connection,
  visit: Visit,
  head: VisitHead,
  room: BodyRoom,
): Promise<void> {
  const inForce = parts.inForce();
  if (inForce === undefined) {
    visit.destroy();
    return;
  }
  const { deployment, audit } = inForce;
  const began = Date.now();
  const start: { -readonly [Key in keyof AuditStart]: AuditStart[Key] } = {
    bot: connection.bot,
    kind: "call",
    host: `${connection.named?.name ?? connection.address}:${connection.port}`,
    method: /^[A-Z]{1,20}$/.test(head.method) ? head.method : "(other)",
    path: describeTarget(deployment, head.target),
    httpVersion: visit.head.version,
  };
  // Recorded first: a bot that has its answer has its line, whenever the broker is killed.
  const refuseCall = (refusal: Refusal): void => {
    recordRefusal(audit, start, refusal.refused, statusOfRefusal(visit, refusal), began);
    replyRefused(visit, refusal);
  };

  const bot = deployment.bots.get(connection.bot);
  const arrived =
    connection.tls === undefined
      ? identify(bot, connection)
      : identifyTls(bot, connection, connection.tls.serverName);
  if (isRefusal(arrived)) return refuseCall(arrived);
  const [dialled] = arrived;
  if (dialled !== undefined) start.host = `${dialled.host.name}:${dialled.host.port}`;

  const read = readCall(head);
  if (isRefusal(read)) return refuseCall(read);
  const handshake = read.upgrade === undefined ? undefined : checkHandshake(read);
  if (handshake !== undefined) return refuseCall(handshake);
  const candidates = narrowByHost(arrived, read.host);
  if (isRefusal(candidates)) return refuseCall(candidates);
  if (candidates.length === 1 && candidates[0] !== undefined)
    start.grant = candidates[0].grant.name;

  const collects = needsBody(candidates, read);
  const expects = read.headers.some(([name]) => name.toLowerCase() === "expect");
  // A client that waits to be asked for its body would wait for ever.
  if (collects && expects) visit.sendContinue();
  const call = collects ? await readBody(read, visit.body, room) : read;
  if (isRefusal(call)) return refuseCall(call);
  const decision = decide(candidates, call, deployment.phantoms);
  if (isRefusal(decision)) return refuseCall(decision);
  // A call that runs for longer is not cut for that; so it is no part of the decision, which is made again then.
  if (decision.placed.some((each) => "at" in each && !isSignedNow(each.at, began)))
    return refuseCall(refuse("aws-date"));
  const { grant, host } = decision.granted;
  start.grant = grant.name;
  start.host = `${host.name}:${host.port}`;
  start.rule = decision.rule;
  start.path = safePath(
    decision.path,
    call.query,
    (text) => deployment.phantoms.find(text) !== undefined,
  );

  const gone = new AbortController();
  visit.onGone(() => {
    gone.abort();
  });
  // Cut before it is forwarded, it is answered; afterwards nothing can be said any more.
  let cut: RefusalCode | undefined;
  let forwarding = false;
  const cutCall = (code: RefusalCode): void => {
    cut ??= code;
    gone.abort(code);
    if (forwarding) visit.destroy();
  };
  const leave = parts.running.add(
    { recheck: (next) => callMayRun(next, connection, call, decision), cut: cutCall },
    deployment,
  );
  // A bug of ours must neither take the others down nor let the call through.
  const admission = await parts.gate
    .admit(decision, call, gone.signal)
    .catch(() => refuse("internal"));
  if (isRefusal(admission)) {
    leave();
    return refuseCall(cut === undefined ? admission : refuse(cut));
  }
  admission.onSpent(() => {
    cutCall("byte-limit");
  });
  let counts = { bytesOut: 0, bytesIn: 0 };
  try {
    const places = decision.placed.map(({ place }) => place);
    const cause = { bot: connection.bot, grant: grant.name };
    const credential = await readSecret(parts, grant.secret, (name) =>
      fetchCredential(parts, inForce, { ...grant, secret: name }, places, cause),
    );
    const named = grant.dial?.clientCertificate;
    const clientCertificate =
      named === undefined
        ? undefined
        : await readSecret(parts, named, (name) =>
            deployment.clientCertificates.get(deployment, name),
          );
    if (isRefusal(credential)) return refuseCall(credential);
    if (clientCertificate !== undefined && isRefusal(clientCertificate))
      return refuseCall(clientCertificate);
    if (cut !== undefined) return refuseCall(refuse(cut));
    // No bot holds a real value: one that says it to people has it from somewhere it shouldn't have.
    if (grant.content !== undefined && call.content !== undefined) {
      if (deployment.redactors.anyIn(call.content.bytes))
        return refuseCall(refuse("content-secret"));
    }
    if (visit.gone) {
      audit.record(start, { outcome: "client-abort" }, began);
      return;
    }
    const open = audit.begin(start, began);
    if (open === undefined) return refuseCall(refuse("audit-unwritable"));
    let end: AuditEnd;
    forwarding = true;
    try {
      const sent = editCall(call, decision, admission.edits);
      if (expects && !collects) visit.sendContinue();
      const arm = (with_: Credential): Renewed => ({
        outgoing: inject(sent.call, sent.decision, with_),
        redactor: deployment.redactors.get(with_, grant),
      });
      const armed = arm(credential);
      learnCall(parts.known, {
        deployment,
        origin: connection,
        visit,
        call,
        decision,
        start,
        credential,
        ...armed,
      });
      const exchange = {
        call: sent.call,
        granted: decision.granted,
        ...armed,
        foreignPhantoms: deployment.foreignPhantoms.get(connection.bot) ?? compilePhantoms([]),
        phantoms: deployment.phantoms,
        admission,
        visit,
        pools: parts.pools,
        connectTimeoutMs: parts.timeouts.connect,
        gone: gone.signal,
        ...(clientCertificate === undefined ? {} : { clientCertificate }),
        ...(deployment.minted.has(grant.secret) && places.length > 0
          ? {
              renew: async () => {
                const { secret } = credential;
                const other = await parts.minter.renew(inForce, grant.secret, cause, secret);
                return other && arm(other);
              },
            }
          : {}),
      };
      end =
        call.upgrade === undefined
          ? await forward(exchange)
          : await forwardUpgrade({
              ...exchange,
              secret: credential.secret,
              places: grant.places,
              phantom: grant.phantom,
            });
    } catch {
      // A bug of ours in one call must not take the others down, nor stay unrecorded.
      const status = replyRefused(visit, refuse("internal"));
      end = {
        outcome: "internal-error",
        code: "internal",
        ...(status === undefined ? {} : { status }),
      };
    }
    if (cut !== undefined) end = { ...end, outcome: "refused", code: cut };
    counts = { bytesOut: end.bytesOut ?? 0, bytesIn: end.bytesIn ?? 0 };
    open.end({ ...end, ...admission.end({ ...counts, outcome: end.outcome }) });
  } finally {
    leave();
    admission.end(counts);
  }
}

/** The secret, or a refusal, with a warning to the supervisor that stands until it can be had again. */
async function readSecret<Read extends object>(
  parts: BrokerParts,
  name: string,
  read: (name: string) => Promise<Read>,
): Promise<Read | Refusal> {
  const key = `secret:${name}`;
  try {
    const secret = await read(name);
    if (parts.warned.delete(key)) parts.send({ type: "health-clear", key });
    return secret;
  } catch (error) {
    // Whoever makes secrets warns of that itself.
    if (error instanceof MintError) return error.refusal;
    parts.warned.add(key);
    parts.send({ type: "health", key, ...describeFault(name, error) });
    return refuse("secret-unavailable");
  }
}

/** One record of a call that did not go out. */
export function recordRefusal(
  audit: Audit,
  start: AuditStart,
  code: RefusalCode,
  status: number | undefined,
  began: number,
): void {
  audit.record(
    start,
    { outcome: "refused", code, ...(status === undefined ? {} : { status }) },
    began,
  );
}

function describeTarget(deployment: Deployment, target: string): string {
  const mark = target.indexOf("?");
  const path: Call["path"] = mark < 0 ? target : target.slice(0, mark);
  const shown = safePath(
    path,
    mark < 0 ? "" : target.slice(mark),
    (text) => deployment.phantoms.find(text) !== undefined,
  );
  return deployment.phantoms.scrub(shown);
}

/** The stores' errors name the secret, never its value. */
function describeFault(name: string, error: unknown): { warning: string; remedy?: string } {
  const warning = `secret "${name}" can't be had, so its calls are refused`;
  const hint =
    typeof error === "object" && error !== null && "hint" in error && typeof error.hint === "string"
      ? error.hint
      : undefined;
  return hint === undefined ? { warning } : { warning, remedy: hint };
}
