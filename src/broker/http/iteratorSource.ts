import { iterate, type ByteSource } from "./ByteSource.ts";

/** What Node iterates over, as a source. Nothing is read before the first `read`. */
export function iteratorSource(open: () => AsyncIterator<unknown>): ByteSource {
  let iterator: AsyncIterator<unknown> | undefined;
  const source: ByteSource = {
    async read() {
      iterator ??= open();
      const next = await iterator.next();
      return next.done === true || !Buffer.isBuffer(next.value) ? null : next.value;
    },
    [Symbol.asyncIterator]: () => iterate(source),
  };
  return source;
}
