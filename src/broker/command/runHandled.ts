import type { JsonObject, OperationPlan } from "../../plan/index.ts";
import type { AuditEnd, AuditStart } from "../audit/AuditRecord.ts";
import type { BrokerGrant } from "../BrokerConfig.ts";
import { valuesOf } from "../match.ts";
import { describeRefusal, isRefusal } from "../Refusal.ts";
import { callHttp } from "./callHttp.ts";
import { fetchPublic } from "./fetchPublic.ts";
import type { HandlerCall, HandlerEnd, HandlerReply, HandlerTools } from "./Handler.ts";
import { handlers } from "./handlers/index.ts";
import { EXIT, fail, type CommandUse } from "./runCommand.ts";

/** How long a call that a handler makes may say nothing. */
const IDLE_MS = 120_000;

/** Runs an operation that is code of the broker's own: within the grant's limits, and with one record. */
export async function runHandled(
  use: CommandUse,
  grant: BrokerGrant,
  operation: OperationPlan,
  input: JsonObject,
  name: string,
): Promise<number> {
  const { parts, bot, client, request } = use;
  const inForce = parts.inForce();
  const handler = handlers.get(name);
  if (inForce === undefined || handler === undefined)
    return fail(use, EXIT.internal, {
      type: "internal",
      code: "internal",
      message: "no such service",
    });
  const began = Date.now();
  const asksFor = handler.hostOf?.(input);
  const start: AuditStart = {
    bot,
    kind: "command",
    grant: grant.name,
    ...(asksFor === undefined ? {} : { host: asksFor }),
    method: operation.name,
    path: request.command,
  };
  const gone = new AbortController();
  const onGone = (): void => {
    gone.abort();
  };
  client.onGone(onGone);
  const leave = parts.running.add(
    {
      recheck: (next) =>
        next.bots.get(bot)?.plan.grants.some((each) => each.name === grant.name) === true,
      cut: onGone,
    },
    inForce.deployment,
  );
  const host = { name: grant.name, port: 0, scheme: "tcp" } as const;
  const admission = await parts.gate.admitTunnel({ bot, grant, host }, gone.signal);
  try {
    if (isRefusal(admission)) {
      inForce.audit.record(start, { outcome: "refused", code: admission.refused }, began);
      const { message } = describeRefusal(admission.refused);
      const code = admission.refused;
      return await fail(use, EXIT.refused, {
        type: "seawall_refused",
        code,
        message,
        grant: grant.name,
      });
    }
    const open = inForce.audit.begin(start, began);
    if (open === undefined) {
      const { message } = describeRefusal("audit-unwritable");
      return await fail(use, EXIT.refused, {
        type: "seawall_refused",
        code: "audit-unwritable",
        message,
      });
    }
    const written = { bytes: 0 };
    const tools = toolsOf(use, grant, gone.signal, written);
    const asked = {
      bot,
      grant,
      operation: operation.name,
      input,
      body: request.body && operation.takesBody === true ? client.body : undefined,
    };
    const end = await handler.run(asked, tools).catch((): HandlerEnd | undefined => undefined);
    const counts = { bytesOut: 0, bytesIn: written.bytes };
    const recorded = recordOf(end, gone.signal.aborted);
    admission.end({ ...counts, outcome: recorded.outcome });
    // Recorded first: a bot that has its answer has its line.
    open.end({ ...recorded, ...counts });
    return await tell(use, grant, end);
  } finally {
    leave();
    client.offGone(onGone);
    if (!isRefusal(admission)) admission.end({ bytesOut: 0, bytesIn: 0 });
  }
}

function recordOf(end: HandlerEnd | undefined, aborted: boolean): AuditEnd {
  if (aborted) return { outcome: "client-abort" };
  switch (end?.end) {
    case undefined:
      return { outcome: "internal-error", code: "internal" };
    case "done":
      return { outcome: "done" };
    case "failed":
      return { outcome: "upstream-error", code: end.code };
    case "refused":
      return { outcome: "refused", code: end.code };
    case "usage":
      return { outcome: "refused", code: "usage" };
    default:
      return end satisfies never;
  }
}

async function tell(
  use: CommandUse,
  grant: BrokerGrant,
  end: HandlerEnd | undefined,
): Promise<number> {
  switch (end?.end) {
    case undefined:
      return fail(use, EXIT.internal, {
        type: "internal",
        code: "internal",
        message: describeRefusal("internal").message,
      });
    case "done":
      if (end.value !== undefined)
        await use.client.write("o", Buffer.from(`${JSON.stringify(end.value)}\n`));
      return EXIT.done;
    case "failed":
      return fail(use, EXIT.outside, { type: "outside", code: end.code, message: end.message });
    case "refused": {
      const { end: _kind, ...why } = end;
      return fail(use, EXIT.refused, { type: "seawall_refused", ...why, grant: grant.name });
    }
    case "usage":
      return fail(use, EXIT.usage, { type: "usage", code: "usage", message: end.message });
    default:
      return end satisfies never;
  }
}

function toolsOf(
  use: CommandUse,
  grant: BrokerGrant,
  signal: AbortSignal,
  written: { bytes: number },
): HandlerTools {
  const { parts, bot, client } = use;
  return {
    signal,
    parts,
    write: (bytes) => {
      written.bytes += bytes.length;
      return client.write("o", bytes);
    },
    call: (request) => callFor(use, grant, request),
    fetchPublic: async (url, mostBytes) => {
      if (grant.kind !== "inject") return { end: "failed", code: "not-granted" };
      return fetchPublic(parts, { bot, grant }, url, {
        mostBytes,
        signal,
        write: (bytes) => {
          written.bytes += bytes.length;
          return client.write("o", bytes);
        },
      });
    },
    dialProgram: () => parts.dialProgram(bot, grant.name),
  };
}

async function callFor(
  use: CommandUse,
  grant: BrokerGrant,
  request: HandlerCall,
): Promise<HandlerReply> {
  const host = grant.hosts.find(({ name }) => name === request.host) ?? grant.hosts[0];
  if (grant.kind !== "inject" || host === undefined)
    return { status: 0, headers: [], body: Buffer.alloc(0), refused: "not-granted" };
  const { method, target, headers = [], body, mostBytes } = request;
  const chunks: Buffer[] = [];
  const end = await callHttp(
    use.parts,
    use.client,
    { bot: use.bot, grant, host },
    { method, target, headers, body: body === undefined ? undefined : Buffer.from(body) },
    {
      ...(request.anonymous === true ? { anonymous: true } : {}),
      mostBytes,
      idleMs: request.idleMs ?? use.idleMs ?? IDLE_MS,
      write: (chunk) => {
        chunks.push(Buffer.from(chunk));
        return true;
      },
    },
  );
  const whole = Buffer.concat(chunks);
  if (end.end === "failed")
    return { status: 0, headers: [], body: Buffer.alloc(0), refused: end.code };
  const reply = { status: end.head.status, headers: end.head.headers, body: whole };
  if (end.end === "answered") return reply;
  return { ...reply, refused: valuesOf(end.head.headers, "x-seawall")[0] ?? "refused" };
}
