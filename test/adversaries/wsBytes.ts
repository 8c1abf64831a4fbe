/** WebSocket frames made by hand (RFC 6455 section 5.2), right or wrong. */
export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly rsv?: number;
  /** A client's frames are masked, a server's aren't. */
  readonly mask?: boolean;
  /** What the frame says of its length instead of the truth, and in how many bytes. */
  readonly length?: bigint;
  readonly lengthBytes?: 0 | 2 | 8;
}

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

export function wsFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = OPCODE.TEXT, fin = true, rsv = 0, mask = true } = options;
  const body = Buffer.from(typeof payload === "string" ? Buffer.from(payload, "latin1") : payload);
  const length = options.length ?? BigInt(body.length);
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] =
    (mask ? 0x80 : 0) | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (!mask) return Buffer.concat([head, body]);
  const key = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  for (let at = 0; at < body.length; at += 1) body[at] = (body[at] ?? 0) ^ (key[at % 4] ?? 0);
  return Buffer.concat([head, key, body]);
}
