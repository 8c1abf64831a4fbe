import { lookup } from "node:dns/promises";
import tls from "node:tls";
import type { Finding } from "../Attack.ts";
import type { BrokerField } from "../Field.ts";
import { codeOf, held, inapplicable, MARKER, through } from "./findings.ts";
import { exchange } from "./sockets.ts";

export type GrantedCall = NonNullable<BrokerField["call"]>;

const PATIENCE_MS = 4_000;

/** Everything that came back on one connection. */
export interface Answer {
  readonly reply: string;
  readonly error?: string;
}

export interface Connect {
  /** Instead of the host's own address. */
  readonly address?: string;
  /** Instead of the host's name; `""` sends none. */
  readonly serverName?: string;
  readonly protocols?: readonly string[];
}

/** Sends bytes over TLS to where a granted call goes, and takes what comes until the end. */
export async function say(
  call: GrantedCall,
  bytes: string | Uint8Array,
  connect: Connect = {},
): Promise<Answer> {
  const address = connect.address ?? (await addressOf(call.host));
  if (!call.tls) return exchange({ host: address, port: call.port }, bytes, PATIENCE_MS);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let reply = "";
  const socket = tls.connect({
    host: address,
    port: call.port,
    servername: connect.serverName ?? call.host,
    ALPNProtocols: [...(connect.protocols ?? ["http/1.1"])],
    // Whose certificate it is doesn't matter to an attacker.
    rejectUnauthorized: false,
  });
  const timer = setTimeout(() => end("ETIMEDOUT"), PATIENCE_MS);
  const end = (error?: string): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ reply, ...(error === undefined ? {} : { error }) });
  };
  socket.once("secureConnect", () => void socket.write(bytes));
  socket.on("data", (chunk: Buffer) => (reply += chunk.toString("latin1")));
  socket.on("error", (error) => end(codeOf(error)));
  socket.on("close", () => end());
  return promise;
}

export async function addressOf(host: string): Promise<string> {
  return (await lookup(host, 4)).address;
}

/** An HTTP/1.1 request as text; `connection: close` unless `headers` says otherwise. */
export function request(
  call: GrantedCall,
  changes: {
    readonly method?: string;
    readonly path?: string;
    readonly host?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): string {
  const {
    method = call.method,
    path = call.path,
    host = hostOf(call),
    headers = {},
    body = "",
  } = changes;
  const fields = {
    host,
    ...call.headers,
    ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

export function hostOf({ host, port }: GrantedCall): string {
  return port === 443 ? host : `${host}:${port}`;
}

/** Runs an attack on a granted call, or says that there is none. */
export async function onGrantedCall(
  broker: BrokerField | undefined,
  attempt: (call: GrantedCall) => Promise<Finding>,
): Promise<Finding> {
  if (broker === undefined) return inapplicable("there is no broker here");
  if (broker.call === undefined) return inapplicable("no grant carries a credential");
  return attempt(broker.call);
}

/**
 * Held if the broker refused by itself or the connection ended without an answer of the service.
 * Whether something arrived that shouldn't have, the stand-in for the service tells by the tag.
 */
export function refusedByBroker({ reply, error }: Answer): Finding {
  if (MARKER.test(reply)) return through("the credential came back");
  const code = /"code":"([a-z0-9-]+)"/.exec(reply)?.[1];
  const status = /^HTTP\/1\.1 (\d+)/.exec(reply)?.[1];
  if (/^x-seawall: refused/im.test(reply))
    return held("broker", `refused with ${status} ${code ?? ""}`.trim());
  if (status !== undefined && /^[45]/.test(status))
    return held("broker", `answered with ${status}`);
  if (status !== undefined) return through(`answered with ${status}`);
  return held("broker", error === undefined ? "ended without an answer" : `ended: ${error}`);
}
