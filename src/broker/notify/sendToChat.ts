import type { AuditStart } from "../audit/AuditRecord.ts";
import type { BrokerParts, InForce } from "../call/BrokerParts.ts";
import { failureOf } from "../call/Exchange.ts";
import { fetchCredential } from "../call/fetchCredential.ts";
import type { Decision } from "../decide/decide.ts";
import type { Chat } from "../Deployment.ts";
import type { UpstreamExchange } from "../http/UpstreamExchange.ts";
import { hostHeaders } from "../identify.ts";
import { inject } from "../inject/inject.ts";
import type { Call } from "../match.ts";
import { describeRefusal, type RefusalCode } from "../Refusal.ts";
import type { ChatNotifyPlan, Json } from "../../plan/index.ts";

/** Those of the services have some KB, the message itself among them. */
const MOST_BYTES = 64 * 1024;
const RULE = "notify";

/**
 * Sends one message as the grant's own calls go: the secret injected, the address checked, the certificate verified,
 * one record. The grant's rules and limits are the bot's and don't hold for it.
 *
 * @param over aborts when it takes too long, with a code when it may not be sent any more.
 * @returns why it was not sent, in plain words, if so.
 */
export async function sendToChat(
  parts: BrokerParts,
  inForce: InForce,
  { plan, granted }: Chat,
  text: string,
  over: AbortSignal,
): Promise<string | undefined> {
  const { audit, deployment } = inForce;
  const { grant, host, bot } = granted;
  const start: AuditStart = {
    bot,
    kind: "call",
    grant: grant.name,
    host: `${host.name}:${host.port}`,
    method: "POST",
    path: plan.path,
    rule: RULE,
  };
  const began = Date.now();
  let prepared;
  try {
    const cause = { bot, grant: grant.name };
    const credential = await fetchCredential(parts, inForce, grant, [plan.place], cause);
    const named = grant.dial?.clientCertificate;
    const clientCertificate =
      named === undefined ? undefined : await deployment.clientCertificates.get(deployment, named);
    const decision = decisionFor(plan, granted);
    const outgoing = inject(callOf(plan, hostHeaders(granted)[0], text), decision, credential);
    prepared = { outgoing, clientCertificate };
  } catch {
    audit.record(start, { outcome: "refused", code: "secret-unavailable" }, began);
    return `secret "${grant.secret}" can't be had`;
  }
  const { outgoing, clientCertificate } = prepared;
  const bytesOut = outgoing.body?.length ?? 0;
  const open = over.aborted ? undefined : audit.begin(start, began);
  if (open === undefined) {
    const code = over.aborted ? codeOf(over) : "audit-unwritable";
    audit.record(start, { outcome: "refused", code }, began);
    return describeRefusal(code).message;
  }
  let upstream: UpstreamExchange | undefined;
  const cut = (): void => {
    upstream?.destroy();
  };
  over.addEventListener("abort", cut);
  let bytesIn = 0;
  let status: number | undefined;
  try {
    upstream = await parts.pools.open(granted, outgoing, {
      signal: over,
      timeoutMs: parts.timeouts.notify,
      // A message is not sent twice, so it goes by a connection that can't be stale.
      fresh: true,
      h2: false,
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
    });
    if (over.aborted) throw new Error("aborted");
    upstream.end(outgoing.body ?? Buffer.alloc(0), []);
    const reply = await upstream.reply;
    ({ status } = reply);
    const chunks: Buffer[] = [];
    for await (const chunk of reply.body) {
      bytesIn += chunk.length;
      if (bytesIn > MOST_BYTES) break;
      chunks.push(chunk);
    }
    const sent = status >= 200 && status < 300 && (plan.saysOk !== true || saysOk(chunks));
    open.end({ outcome: "done", status, bytesOut, bytesIn });
    return sent ? undefined : `${host.name} answers ${status}, and that it was not sent`;
  } catch (error) {
    const code = over.aborted ? codeOf(over) : failureOf(error);
    open.end({
      outcome: code === "grant-withdrawn" ? "refused" : "upstream-error",
      code,
      ...(status === undefined ? {} : { status }),
      bytesOut,
      bytesIn,
    });
    return `${host.name}: ${describeRefusal(code).message}`;
  } finally {
    over.removeEventListener("abort", cut);
    upstream?.destroy();
  }
}

function codeOf({ reason }: AbortSignal): RefusalCode {
  return reason === "grant-withdrawn" ? reason : "upstream-unreachable";
}

/** The call as a bot would have made it, with nothing where the credential comes. */
function callOf(plan: ChatNotifyPlan, host: string, text: string): Call {
  const bytes = Buffer.from(JSON.stringify(fill(plan.body, text)));
  const type = "application/json";
  return {
    method: "POST",
    path: plan.path,
    query: "",
    host,
    headers: [
      ["User-Agent", "seawall"],
      ["Content-Type", `${type}; charset=utf-8`],
      ...(plan.place.in === "header" ? [[plan.place.name, ""] as const] : []),
    ],
    body: "length",
    content: { bytes, type, parameters: new Map([["charset", "utf-8"]]) },
  };
}

function decisionFor({ path, place }: ChatNotifyPlan, granted: Chat["granted"]): Decision {
  return { granted, rule: RULE, verdict: "allow", placed: [{ place }], path };
}

function fill(value: Json, text: string): Json {
  if (value === "{text}") return text;
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map((each) => fill(each, text));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, text)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function saysOk(chunks: readonly Buffer[]): boolean {
  try {
    const reply: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return typeof reply === "object" && reply !== null && "ok" in reply && reply.ok === true;
  } catch {
    return false;
  }
}
