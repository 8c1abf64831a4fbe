/** What a client got, read as it would. */
export interface SeenAnswer {
  readonly status: number;
  readonly body: string;
  /** Its end was reached as its framing says, not by a cut. */
  readonly whole: boolean;
}

/**
 * Reads HTTP/1.1 answers (RFC 9112 section 6.3); interim ones are left out.
 *
 * @param methods of the requests in their order: the answer to a HEAD has no body.
 * @param ended whether nothing more can come.
 */
export function readAnswers(
  bytes: Buffer,
  methods: readonly string[],
  ended: boolean,
): SeenAnswer[] {
  const answers: SeenAnswer[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf("\r\n\r\n");
    const head = rest.toString("latin1", 0, end < 0 ? undefined : end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
    if (status === 0) break;
    if (end < 0) {
      answers.push({ status, body: "", whole: false });
      break;
    }
    rest = rest.subarray(end + 4);
    if (status < 200 && status !== 101) continue;
    const header = (name: string): string | undefined =>
      new RegExp(`\\n${name}:[ \\t]*([^\\r\\n]*)`, "i").exec(head)?.[1];
    const method = methods[answers.length] ?? "GET";
    let body: Buffer = Buffer.alloc(0);
    let whole = true;
    if (status === 101) {
      body = rest;
      rest = Buffer.alloc(0);
    } else if (method === "HEAD" || status === 204 || status === 304) whole = true;
    else if (/chunked/i.test(header("transfer-encoding") ?? "")) {
      const read = readChunks(rest);
      ({ body, whole } = read);
      rest = rest.subarray(read.length);
    } else {
      const length = header("content-length");
      const size = length === undefined ? rest.length : Number(length);
      body = rest.subarray(0, size);
      whole = length === undefined ? ended : rest.length >= size;
      rest = rest.subarray(size);
    }
    answers.push({ status, body: body.toString("latin1"), whole });
    if (!whole) break;
  }
  return answers;
}

function readChunks(bytes: Buffer): { body: Buffer; whole: boolean; length: number } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = bytes.indexOf("\r\n", at);
    const size = line < 0 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, line), 16);
    if (Number.isNaN(size))
      return { body: Buffer.concat(parts), whole: false, length: bytes.length };
    if (size === 0) {
      // Trailers, up to an empty line.
      const end = bytes.indexOf("\r\n\r\n", line);
      const length = end < 0 ? bytes.length : end + 4;
      return { body: Buffer.concat(parts), whole: end >= 0, length };
    }
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
