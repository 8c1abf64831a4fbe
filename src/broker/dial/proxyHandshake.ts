import { isIPv4, type Socket } from "node:net";
import { addressBytes } from "../parseAddress.ts";
import { DialError } from "./DialError.ts";
import { HandshakeReader } from "./HandshakeReader.ts";
import type { ProxyAddress } from "./ProxyAddress.ts";

/** More than any proxy's headers; its error pages are not read. */
const LONGEST_HEAD = 16 * 1024;

/**
 * Asks a proxy, over a connection to it, for one to `address` and `port`: by CONNECT (RFC 9110
 * section 9.3.6) or SOCKS 5 (RFC 1928, without a password). It is given an IP address, never a name, so
 * that it dials what was checked. Afterwards the socket holds what came behind the proxy's answer.
 *
 * @param serverFirst whether the destination may speak before it was spoken to. For TLS and HTTP it
 * doesn't, and bytes that are there already are not the destination's.
 * @throws DialError `proxy-failed` when the answer isn't a plain yes; the caller closes the socket.
 */
export async function askProxy(
  kind: ProxyAddress["kind"],
  socket: Socket,
  address: string,
  port: number,
  serverFirst: boolean,
): Promise<void> {
  const reader = new HandshakeReader(socket);
  let left: number;
  try {
    if (kind === "http") await askByConnect(reader, socket, address, port);
    else await askBySocks(reader, socket, address, port);
  } finally {
    left = reader.release();
  }
  if (left > 0 && !serverFirst) throw refused("the proxy sent bytes of its own");
}

async function askByConnect(
  reader: HandshakeReader,
  socket: Socket,
  address: string,
  port: number,
): Promise<void> {
  const authority = `${isIPv4(address) ? address : `[${address}]`}:${port}`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const head = (await reader.takeUntil("\r\n\r\n", LONGEST_HEAD)).toString("latin1");
  const [status = "", ...headers] = head.slice(0, -4).split("\r\n");
  if (!/^HTTP\/1\.[01] 2\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/.test(status))
    throw refused("the proxy did not connect");
  for (const header of headers) {
    const name = /^([!#$%&'*+.^_`|~\w-]+):[\t\x20-\x7e\x80-\xff]*$/.exec(header)?.[1];
    if (name === undefined) throw refused("the proxy's answer is not well formed");
    // A yes to CONNECT has no body; who announces one means something else by it.
    if (/^transfer-encoding$/i.test(name) || /^content-length:(?!\s*0+\s*$)/i.test(header))
      throw refused("the proxy's answer has a body");
  }
}

const SOCKS = 5;
const NO_PASSWORD = 0;
const CONNECT = 1;
const ADDRESS_V4 = 1;
const ADDRESS_NAME = 3;
const ADDRESS_V6 = 4;

async function askBySocks(
  reader: HandshakeReader,
  socket: Socket,
  address: string,
  port: number,
): Promise<void> {
  socket.write(Buffer.from([SOCKS, 1, NO_PASSWORD]));
  const method = await reader.take(2);
  if (method[0] !== SOCKS || method[1] !== NO_PASSWORD)
    throw refused("the proxy takes no connection without a password");
  const bytes = addressBytes(address);
  const type = bytes.length === 4 ? ADDRESS_V4 : ADDRESS_V6;
  socket.write(Buffer.from([SOCKS, CONNECT, 0, type, ...bytes, port >> 8, port & 0xff]));
  const [version, reply, reserved, bound] = await reader.take(4);
  if (version !== SOCKS || reply !== 0 || reserved !== 0)
    throw refused("the proxy did not connect");
  // The address it connects from, of no use but to know where the answer ends.
  if (bound === ADDRESS_V4) await reader.take(4 + 2);
  else if (bound === ADDRESS_V6) await reader.take(16 + 2);
  else if (bound === ADDRESS_NAME) await reader.take(((await reader.take(1))[0] ?? 0) + 2);
  else throw refused("the proxy's answer is not well formed");
}

function refused(message: string): DialError {
  return new DialError("proxy-failed", message);
}
