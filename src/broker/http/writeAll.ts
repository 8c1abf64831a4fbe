import type { Writable } from "node:stream";

/** Writes and waits until more may be written. `false` when the stream has closed or failed. */
export function writeAll(stream: Writable, chunk: Buffer): Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve(false);
  if (chunk.length === 0 || stream.write(chunk)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const settle = (result: boolean): void => {
      stream.off("drain", onDrain);
      stream.off("close", onClose);
      resolve(result);
    };
    const onDrain = (): void => {
      settle(true);
    };
    const onClose = (): void => {
      settle(false);
    };
    stream.on("drain", onDrain);
    stream.on("close", onClose);
  });
}
