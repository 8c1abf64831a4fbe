/**
 * Bytes at the reader's pace. `read` gives the next chunk, `null` at the end; at once where there is
 * something, else by a promise, which rejects when the rest can't come. One reader, one read at a time.
 */
export interface ByteSource extends AsyncIterable<Buffer> {
  read(): Buffer | null | Promise<Buffer | null>;
}

/** The async iterator of a source. Leaving a loop early leaves the source as it is. */
export async function* iterate(source: Pick<ByteSource, "read">): AsyncGenerator<Buffer> {
  for (;;) {
    const next = source.read();
    const chunk = next instanceof Promise ? await next : next;
    if (chunk === null) return;
    yield chunk;
  }
}

/** The body of what has none. */
export const NO_BYTES: ByteSource = {
  read: () => null,
  [Symbol.asyncIterator]: () => iterate(NO_BYTES),
};
