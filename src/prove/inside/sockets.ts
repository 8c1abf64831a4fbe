import dgram from "node:dgram";
import net from "node:net";
import { networkInterfaces } from "node:os";
import type { Finding, Layer } from "../Attack.ts";
import type { Place } from "../Field.ts";
import { codeOf, held, MARKER, through, tryEach } from "./findings.ts";

const PATIENCE_MS = 1_500;
/** Long enough for a connection to be made on this machine. */
const CONNECTED_MS = 200;

/** What came of a connection. */
export interface Exchange {
  readonly connected: boolean;
  /** As text of one byte a character. */
  readonly reply: string;
  readonly error?: string;
}

/** Connects, says something, and takes what comes until the end, a marker or the time is up. */
export function exchange(
  target: net.NetConnectOpts,
  said: string | Uint8Array,
  patience = PATIENCE_MS,
): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  let connected = false;
  let reply = "";
  let socket: net.Socket;
  try {
    socket = net.connect(target);
  } catch (error) {
    return Promise.resolve({ connected, reply, error: codeOf(error) });
  }
  const end = (error?: string): void => {
    clearTimeout(timer);
    socket.destroy();
    resolve({ connected, reply, ...(error === undefined ? {} : { error }) });
  };
  const timer = setTimeout(() => end("ETIMEDOUT"), patience);
  socket.on("connect", () => {
    connected = true;
    socket.write(said);
  });
  socket.on("data", (chunk) => {
    reply += chunk.toString("latin1");
    if (MARKER.test(reply)) end();
  });
  socket.on("error", (error) => end(codeOf(error)));
  socket.on("close", () => end());
  return promise;
}

/** Tries to reach a stand-in on the host's loopback: through if it answered. */
export async function reachStandIn(
  target: net.TcpNetConnectOpts,
  tag: string,
  name: string,
): Promise<Finding> {
  const { connected, reply, error } = await exchange(target, `${tag}\n`);
  if (MARKER.test(reply)) return through(`${name} answered`);
  if (connected) return held("broker", `${name}: connected, but not to what is outside`);
  return held(layerOfConnect(error ?? ""), `${name}: ${error ?? "no answer"}`);
}

/** Tries to connect to Unix sockets outside; to real ones nothing is said. */
export function reachSockets(sockets: readonly Place[], tag: string): Promise<Finding> {
  return tryEach(sockets, async ({ path, planted }) => {
    const name = path.replace(/^@/, "\0");
    const { connected, reply, error } = await exchange(
      { path: name },
      planted ? `${tag}\n` : "",
      planted ? PATIENCE_MS : CONNECTED_MS,
    );
    if (MARKER.test(reply)) return through(`${path} answered`);
    if (connected) return through(`${path} took the connection`);
    return held(layerOfConnect(error ?? "", name), `${path}: ${error ?? "no answer"}`);
  });
}

/** What a refused connection was refused by. */
export function layerOfConnect(error: string, path?: string): Layer {
  switch (error) {
    case "EACCES":
      return path === undefined ? "Landlock" : "file permissions";
    case "EPERM":
      return path?.startsWith("\0") === true ? "Landlock" : "seccomp";
    case "EAFNOSUPPORT":
    case "EPROTONOSUPPORT":
    case "ENOSYS":
      return "seccomp";
    case "ENOENT":
      return "mount namespace";
    default:
      return path === undefined || path.startsWith("\0") ? "network namespace" : "mount namespace";
  }
}

/** Sends one datagram; gives what came back, or the error. */
export async function ask(
  address: string,
  port: number,
  said: Uint8Array,
  patience = PATIENCE_MS,
): Promise<{ readonly reply?: Buffer; readonly error?: string }> {
  const { promise, resolve } = Promise.withResolvers<{ reply?: Buffer; error?: string }>();
  const socket = dgram.createSocket(address.includes(":") ? "udp6" : "udp4");
  const timer = setTimeout(() => resolve({ error: "ETIMEDOUT" }), patience);
  socket.on("message", (reply) => resolve({ reply }));
  socket.on("error", (error) => resolve({ error: codeOf(error) }));
  // Connected, so that a port nobody listens on gives an error and not silence.
  socket.connect(port, address, (error?: Error) => {
    if (error !== undefined && error !== null) {
      resolve({ error: codeOf(error) });
      return;
    }
    socket.send(said, (fault) => {
      if (fault !== null) resolve({ error: codeOf(fault) });
    });
  });
  const outcome = await promise;
  clearTimeout(timer);
  try {
    socket.close();
  } catch {
    // Not open: that was the error.
  }
  return outcome;
}

/** How an address lies to this network namespace. Nothing is sent. */
export type Way =
  /** It is this namespace's own: whatever is sent to it stays inside. */
  | { readonly kind: "own" }
  /** Packets would leave, from this address. */
  | { readonly kind: "out"; readonly from: string }
  | { readonly kind: "none"; readonly error: string };

/**
 * Finds out where packets to an address would go, without one: binding to an address works only if
 * it is this namespace's own, and connecting a UDP socket only looks up the route.
 */
export async function wayTo(address: string): Promise<Way> {
  const family = address.includes(":") ? "udp6" : "udp4";
  if (onlyLoopback()) return { kind: "own" };
  // To a group's address everybody may bind.
  const group = /^(22[4-9]|23\d)\.|^ff/.test(address);
  const own = await new Promise<boolean>((resolve) => {
    if (group) {
      resolve(false);
      return;
    }
    const socket = dgram.createSocket(family);
    socket.once("error", () => resolve(false));
    socket.bind({ address, port: 0, exclusive: true }, () => {
      socket.close();
      resolve(true);
    });
  });
  if (own) return { kind: "own" };
  return new Promise((resolve) => {
    const socket = dgram.createSocket(family);
    socket.once("error", (error) => resolve({ kind: "none", error: codeOf(error) }));
    socket.connect(9, address, (error?: Error) => {
      if (error !== undefined && error !== null) {
        resolve({ kind: "none", error: codeOf(error) });
        return;
      }
      const from = socket.address().address;
      socket.close();
      const stays = /^127\.|^::1$/.test(from) || from === address;
      resolve(stays ? { kind: "own" } : { kind: "out", from });
    });
  });
}

/** Whether there is no interface by which anything could leave. */
function onlyLoopback(): boolean {
  try {
    return Object.values(networkInterfaces()).every((each) =>
      (each ?? []).every(({ internal }) => internal),
    );
  } catch {
    return false;
  }
}

/**
 * Tries to reach an address outside. Where packets would leave, that is proof enough and none is
 * sent; where the address is this namespace's own, `inside` says what answers there.
 */
export async function reachAddress(
  address: string,
  inside: () => Promise<Finding>,
): Promise<Finding> {
  const way = await wayTo(address);
  if (way.kind === "out") return through(`packets to ${address} would leave from ${way.from}`);
  if (way.kind === "none") return held(layerOfConnect(way.error), `${address}: ${way.error}`);
  return inside();
}

/** Connects to an address of this namespace and says what came of it. */
export async function connectInside(
  address: string,
  port: number,
  said: string | Uint8Array,
): Promise<Finding> {
  const { connected, reply, error } = await exchange({ host: address, port }, said);
  const name = `${address} port ${port}`;
  if (MARKER.test(reply)) return through(`${name} answered with a planted marker`);
  if (connected && reply.startsWith("HTTP/1.1 2")) return through(`${name} answered`);
  if (connected)
    return held(
      "broker",
      `${name}: the broker ended the connection${error === undefined ? "" : ` (${error})`}`,
    );
  return held(
    layerOfConnect(error ?? ""),
    `${name} is the namespace's own: ${error ?? "no answer"}`,
  );
}
