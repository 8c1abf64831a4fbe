import { isIP, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { LoginPlan } from "../../plan/index.ts";
import type { Audit } from "../audit/Audit.ts";
import type { AuditEnd, AuditStart } from "../audit/AuditRecord.ts";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { fetchCredential } from "../call/fetchCredential.ts";
import { tunnelMayRun } from "../call/RunningCalls.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { classifyAddress } from "../dial/classifyAddress.ts";
import { connectUpstream } from "../dial/connectUpstream.ts";
import { nameFailure } from "../dial/nameFailure.ts";
import { makeUpstreamContext, secureUpstream } from "../dial/upstreamTls.ts";
import { isRefusal, refuse, type RefusalCode } from "../Refusal.ts";
import { peekClientHello } from "../tls/peekClientHello.ts";
import { TlsEnd } from "../tls/TlsEnd.ts";
import { ByteReader } from "./ByteReader.ts";
import { loginImap } from "./imap.ts";
import type { LoginEnd, LoginSession } from "./LoginSession.ts";
import { loginPostgres } from "./postgres.ts";
import { loginSmtp } from "./smtp.ts";

const LOGINS = { imap: loginImap, smtp: loginSmtp, postgres: loginPostgres } as const;
/** From the connection to the end of the login; a person may be asked for nothing in between. */
const LOGIN_MS = 60_000;
/** What a client may offer by ALPN; none of it decides anything. */
const ALPN = ["imap", "smtp", "postgresql"];

/** A grant whose protocol has a login of its own. */
export type LoginGranted = Granted & {
  readonly grant: InjectBrokerGrant & { readonly login: LoginPlan };
};

export function isLogin(granted: Granted | undefined): granted is LoginGranted {
  return granted?.grant.kind === "inject" && granted.grant.login !== undefined;
}

/**
 * Logs a bot in at a server that speaks neither HTTP nor takes tokens: what the bot sends as its password is the
 * phantom, what the server gets the real value. From then on both connections are one, as in a tunnel.
 */
export async function openLogin(
  parts: BrokerParts,
  audit: Audit,
  granted: LoginGranted,
  socket: Socket,
): Promise<void> {
  const { bot, grant, host } = granted;
  const start: AuditStart = {
    bot,
    kind: "call",
    grant: grant.name,
    host: `${host.name}:${host.port}`,
    method: "LOGIN",
  };
  const began = Date.now();
  const gone = new AbortController();
  const opened: Socket[] = [socket];
  let cut: RefusalCode | undefined;
  const end = (code?: RefusalCode): void => {
    cut ??= code;
    gone.abort();
    for (const each of opened) each.destroy();
  };
  socket.on("error", () => undefined);
  socket.once("close", () => {
    gone.abort();
  });
  const leave = parts.running.add(
    { recheck: (next) => tunnelMayRun(next, granted), cut: end },
    parts.inForce()?.deployment,
  );
  const admission = await parts.gate
    .admitTunnel(granted, gone.signal)
    .catch(() => refuse("internal"));
  const open = isRefusal(admission) ? undefined : audit.begin(start, began);
  if (isRefusal(admission) || open === undefined) {
    const code = isRefusal(admission) ? admission.refused : "audit-unwritable";
    audit.record(start, { outcome: "refused", code }, began);
    if (!isRefusal(admission)) admission.end({ bytesOut: 0, bytesIn: 0 });
    leave();
    end();
    return;
  }
  admission.onSpent(() => {
    end("byte-limit");
  });
  const slow = setTimeout(() => {
    end("request-slow");
  }, LOGIN_MS);
  let recorded: AuditEnd;
  let bytes = { bytesOut: 0, bytesIn: 0 };
  try {
    const { session, failure, reader } = makeSession(parts, granted, socket, gone.signal, opened);
    const login = await begin(session, reader, grant.login.protocol);
    clearTimeout(slow);
    if (login.end === "done") {
      bytes = await join(login.server, reader, (count) => {
        admission.count(count);
      });
    } else reader.socket.end();
    recorded = recordOf(login, failure());
  } catch (error) {
    recorded = { outcome: "upstream-error", code: failureOf(error) };
  } finally {
    clearTimeout(slow);
  }
  if (cut !== undefined) recorded = { outcome: "refused", code: cut };
  for (const each of opened) if (each !== socket) each.destroy();
  leave();
  admission.end({ ...bytes, outcome: recorded.outcome });
  open.end({ ...recorded, ...bytes });
}

/** Where TLS comes first on the bot's side, that is begun with. */
async function begin(
  session: LoginSession,
  reader: ByteReader,
  protocol: LoginPlan["protocol"],
): Promise<LoginEnd> {
  if (session.implicitTls && !(await session.startTls()))
    return { end: "refused", code: "tls-handshake" };
  const end = await LOGINS[protocol](session);
  // What was said last has to arrive before the connection ends.
  if (end.end !== "done") reader.socket.resume();
  return end;
}

function makeSession(
  parts: BrokerParts,
  granted: LoginGranted,
  socket: Socket,
  signal: AbortSignal,
  opened: Socket[],
): { session: LoginSession; failure: () => RefusalCode | undefined; reader: ByteReader } {
  const { bot, grant, host } = granted;
  const reader = new ByteReader(socket);
  let failed: RefusalCode | undefined;
  const implicitTls = grant.login.tls === "first";
  const noting = async <Value>(act: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await act();
    } catch (error) {
      failed = nameFailure(error);
      return undefined;
    }
  };
  const session: LoginSession = {
    bot: reader,
    phantom: grant.phantom,
    secure: () => reader.socket !== socket,
    implicitTls,
    plainAllowed:
      isIP(host.name) !== 0 && ["private", "loopback"].includes(classifyAddress(host.name)),
    startTls: async () => {
      const secure = await endTls(parts, bot, reader.release());
      if (secure === undefined) return false;
      opened.push(secure);
      reader.replace(secure);
      return true;
    },
    connect: () =>
      noting(async () => {
        const scheme = implicitTls ? "https" : "tcp";
        const connected = await connectUpstream(
          { ...granted, host: { ...host, scheme } },
          { resolve: parts.resolve, alpn: [], timeoutMs: parts.timeouts.connect, signal },
        );
        opened.push(connected.socket);
        return new ByteReader(connected.socket);
      }),
    secureUpstream: async (server) => {
      const secure = await noting(() =>
        secureUpstream(granted, server.release(), {
          alpn: [],
          context: makeUpstreamContext(granted),
          session: undefined,
          onSession: undefined,
          signal,
        }),
      );
      if (secure === undefined) return false;
      opened.push(secure);
      server.replace(secure);
      return true;
    },
    secret: async () => {
      const inForce = parts.inForce();
      if (inForce === undefined) throw new Error("nothing is configured");
      const cause = { bot, grant: grant.name };
      return (await fetchCredential(parts, inForce, grant, [], cause)).secret;
    },
  };
  return { session, failure: () => failed, reader };
}

function endTls(parts: BrokerParts, bot: string, socket: Socket): Promise<TLSSocket | undefined> {
  const plan = parts.inForce()?.deployment.bots.get(bot)?.plan;
  if (plan === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    peekClientHello(socket, parts.timeouts.clientHello, (result) => {
      if ("gone" in result || "refused" in result) resolve(undefined);
      else new TlsEnd(bot, plan.certificate, ALPN).take(socket, result.hello.serverName, resolve);
    });
  });
}

/** Passes bytes on both ways until both sides have closed. */
async function join(
  server: ByteReader,
  bot: ByteReader,
  count: (bytes: number) => void,
): Promise<{ bytesOut: number; bytesIn: number }> {
  const inside = bot.release();
  const outside = server.release();
  const bytes = { bytesOut: 0, bytesIn: 0 };
  const pass = (from: Socket, to: Socket, key: keyof typeof bytes): void => {
    from.on("error", () => to.destroy());
    from.on("data", (chunk: Buffer) => {
      bytes[key] += chunk.length;
      count(chunk.length);
    });
    from.once("close", () => {
      if (!from.readableEnded) to.destroy();
    });
    from.pipe(to);
  };
  pass(inside, outside, "bytesOut");
  pass(outside, inside, "bytesIn");
  await Promise.all([closed(inside), closed(outside)]);
  return bytes;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else
      socket.once("close", () => {
        resolve();
      });
  });
}

function recordOf(end: LoginEnd, failure: RefusalCode | undefined): AuditEnd {
  switch (end.end) {
    case "done":
    case "over":
      return { outcome: "done" };
    case "refused":
      return { outcome: "refused", code: end.code };
    case "failed":
      return { outcome: "upstream-error", code: failure ?? end.code };
    default:
      return end satisfies never;
  }
}

function failureOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error && "hint" in error
    ? "secret-unavailable"
    : "internal";
}
