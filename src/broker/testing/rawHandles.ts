import dgram from "node:dgram";
import net from "node:net";
import type { RawHandle } from "../listeners/Listeners.ts";

/** What a launcher makes in a namespace, made here on every address of this machine. */
export interface TestSocket {
  readonly handle: RawHandle;
  readonly port: number;
}

interface TcpHandle extends RawHandle {
  getsockname(out: { port?: number }): number;
}

/**
 * A bound TCP handle, as `net.Native` carries it. It isn't made to listen here: that would also make
 * this process's event loop accept on it, and take connections from the broker it is sent to.
 */
export function tcpHandle(address = "0.0.0.0", port = 0): TestSocket {
  const make = Reflect.get(net, "_createServerHandle") as (
    address: string,
    port: number,
    family: number,
  ) => TcpHandle | number;
  const handle = make(address, port, address.includes(":") ? 6 : 4);
  if (typeof handle === "number") throw new Error(`no TCP handle: ${handle}`);
  return { handle, port: portOf(handle) };
}

/** A bound UDP handle, as `dgram.Native` carries it. */
export function udpHandle(address = "0.0.0.0", port = 0): TestSocket {
  const make = Reflect.get(dgram, "_createSocketHandle") as (
    address: string,
    port: number,
    type: string,
    fd?: number,
    flags?: number,
  ) => TcpHandle | number;
  const handle = make(address, port, address.includes(":") ? "udp6" : "udp4", undefined, 0);
  if (typeof handle === "number") throw new Error(`no UDP handle: ${handle}`);
  return { handle, port: portOf(handle) };
}

/** A bound Unix socket, on which nobody listens yet. */
export function unixHandle(path: string): RawHandle {
  const make = Reflect.get(net, "_createServerHandle") as (
    path: string,
    port: number,
    family: number,
  ) => RawHandle | number;
  const handle = make(path, -1, -1);
  if (typeof handle === "number") throw new Error(`no Unix handle: ${handle}`);
  return handle;
}

function portOf(handle: TcpHandle): number {
  const out: { port?: number } = {};
  handle.getsockname(out);
  return out.port ?? 0;
}
