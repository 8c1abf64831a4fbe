/** DNS messages made by hand (RFC 1035 section 4.1). */
export interface QuestionOptions {
  readonly id?: number;
  readonly flags?: number;
  readonly type?: number;
  readonly class?: number;
  readonly counts?: readonly [number, number, number, number];
}

export function header(id: number, flags: number, counts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index);
  return bytes;
}

export function nameBytes(name: string): Buffer {
  return Buffer.concat([
    ...name
      .split(".")
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")])),
    Buffer.from([0]),
  ]);
}

export function question(name: string | Buffer, options: QuestionOptions = {}): Buffer {
  const {
    id = 0x1234,
    flags = 0x0100,
    type = 1,
    class: klass = 1,
    counts = [1, 0, 0, 0],
  } = options;
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(klass, 2);
  return Buffer.concat([
    header(id, flags, counts),
    typeof name === "string" ? nameBytes(name) : name,
    tail,
  ]);
}

/** With its length before it, as over TCP. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
