import { randomBytes } from "node:crypto";

/** TLS records and ClientHellos made by hand (RFC 8446 sections 4.1.2 and 5.1), right or wrong. */
export interface HelloOptions {
  readonly name?: string;
  /** Several names in one server_name extension. */
  readonly names?: readonly string[];
  /** A second server_name extension with this name. */
  readonly second?: string;
  readonly extensions?: readonly (readonly [type: number, data: Buffer])[];
  /** What the extensions' length says instead of the truth. */
  readonly extensionsLength?: number;
  /** Bytes of handshake in each record. */
  readonly recordSize?: number;
}

export function record(type: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 1]), short(payload.length), payload]);
}

export function clientHello(options: HelloOptions = {}): Buffer {
  const { name, names = name === undefined ? [] : [name], second, recordSize = 16_000 } = options;
  const extensions = Buffer.concat(
    [
      [0, serverName(names)] as const,
      ...(second === undefined ? [] : [[0, serverName([second])] as const]),
      [10, vector(2, Buffer.from([0, 29, 0, 23]))] as const,
      [13, vector(2, Buffer.from([4, 3, 8, 4]))] as const,
      [43, vector(1, Buffer.from([3, 4, 3, 3]))] as const,
      [51, vector(2, Buffer.concat([Buffer.from([0, 29]), vector(2, randomBytes(32))]))] as const,
      ...(options.extensions ?? []),
    ].map(([type, data]) => Buffer.concat([short(type), vector(2, data)])),
  );
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    randomBytes(32),
    vector(1, randomBytes(32)),
    vector(2, Buffer.from([0x13, 1, 0x13, 2, 0xc0, 0x2f])),
    vector(1, Buffer.from([0])),
    short(options.extensionsLength ?? extensions.length),
    extensions,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), short(body.length), body]);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += recordSize)
    records.push(record(22, message.subarray(at, at + recordSize)));
  return Buffer.concat(records);
}

function serverName(names: readonly string[]): Buffer {
  return vector(
    2,
    Buffer.concat(
      names.map((each) =>
        Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(each, "latin1"))]),
      ),
    ),
  );
}

function vector(size: 1 | 2, data: Buffer): Buffer {
  return Buffer.concat([size === 1 ? Buffer.from([data.length]) : short(data.length), data]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
