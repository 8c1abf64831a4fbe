import { iterate, NO_BYTES, type ByteSource } from "../http/ByteSource.ts";
import type { ReplyHead } from "../http/Visit.ts";
import type { BrokerParts } from "../call/BrokerParts.ts";
import { handleCall } from "../call/handleCall.ts";
import type { Granted, InjectBrokerGrant } from "../Deployment.ts";
import { hostHeaders } from "../identify.ts";
import { valuesOf, type Header } from "../match.ts";
import type { CommandSocket } from "./CommandSocket.ts";
import { CommandVisit } from "./CommandVisit.ts";
import { withPhantom, type ComposedCall } from "./composeCall.ts";

const ACCEPT: Header = ["accept", "application/json, */*;q=0.5"];

/** A grant of the bot's whose calls a command makes, at one of its hosts. */
export type CommandTarget = Granted & { readonly grant: InjectBrokerGrant };

/** How a call ended. */
export type HttpEnd =
  | { readonly end: "answered"; readonly head: ReplyHead }
  /** The broker's own refusal. */
  | { readonly end: "refused"; readonly head: ReplyHead; readonly code: string }
  /** Nothing came for too long, more than may come, half of it, or nothing at all. */
  | { readonly end: "failed"; readonly code: "too-slow" | "too-large" | "cut" | "no-place" };

export interface HttpOptions {
  /** Answers longer than this are cut. */
  readonly mostBytes: number;
  /** How long nothing may come, in milliseconds, once the request has gone out. */
  readonly idleMs: number;
  /** Without the phantom, by a rule for such calls. */
  readonly anonymous?: boolean;
  /** Takes the answer's body as it comes; `false` ends it. */
  write(chunk: Buffer, head: ReplyHead): boolean | Promise<boolean>;
}

/**
 * Makes one call for a command, the way a call from the bot's network takes: matched, decided, injected,
 * redacted, recorded. Resolves when all is over.
 */
export async function callHttp(
  parts: BrokerParts,
  client: CommandSocket,
  target: CommandTarget,
  call: ComposedCall,
  options: HttpOptions,
): Promise<HttpEnd> {
  const { bot, grant, host } = target;
  const placed = options.anonymous === true ? call : withPhantom(call, grant);
  if (placed === undefined) return { end: "failed", code: "no-place" };
  const framed = frameBody(call.body, client);
  let head: ReplyHead | undefined;
  let passed = 0;
  let failed: "too-slow" | "too-large" | undefined;
  const idle = setTimeout(() => {
    failed ??= "too-slow";
    visit.destroy();
  }, options.idleMs);
  const visit = new CommandVisit(
    client,
    {
      method: call.method,
      target: placed.target,
      version: "1.1",
      headers: [
        ["host", hostHeaders(target)[0]],
        ...(valuesOf(placed.headers, "accept").length > 0 ? [] : [ACCEPT]),
        ...placed.headers,
        ...framed.headers,
      ],
      empty: call.body === undefined,
    },
    framed.body,
    {
      head: (taken) => {
        head = taken;
        idle.refresh();
      },
      write: (chunk) => {
        idle.refresh();
        passed += chunk.length;
        if (passed > options.mostBytes) {
          failed ??= "too-large";
          return false;
        }
        return head === undefined ? false : options.write(chunk, head);
      },
    },
  );
  try {
    await handleCall(
      parts,
      {
        bot,
        address: "",
        port: host.port,
        named: { name: host.name, plain: host.scheme === "http" },
        tls: undefined,
      },
      visit,
    );
  } finally {
    clearTimeout(idle);
  }
  if (failed !== undefined) return { end: "failed", code: failed };
  if (head === undefined || !visit.finished) return { end: "failed", code: "cut" };
  return valuesOf(head.headers, "x-seawall").includes("refused")
    ? { end: "refused", head, code: "" }
    : { end: "answered", head };
}

function frameBody(
  body: ComposedCall["body"],
  client: CommandSocket,
): {
  readonly headers: readonly Header[];
  readonly body: { readonly source: ByteSource; readonly complete: boolean };
} {
  if (body === undefined) return { headers: [], body: { source: NO_BYTES, complete: true } };
  if (body === "stream")
    return {
      headers: [["transfer-encoding", "chunked"]],
      body: { source: client.body, complete: false },
    };
  return {
    headers: [["content-length", String(body.length)]],
    body: { source: bufferSource(body), complete: true },
  };
}

function bufferSource(bytes: Buffer): ByteSource {
  let rest: Buffer | undefined = bytes.length === 0 ? undefined : bytes;
  const source: ByteSource = {
    read: () => {
      const next = rest ?? null;
      rest = undefined;
      return next;
    },
    [Symbol.asyncIterator]: () => iterate(source),
  };
  return source;
}
