import { pipeline, type Readable } from "node:stream";
import type Zlib from "node:zlib";
import { readCoding, ZSTD_WINDOW_LOG, type Coding } from "../body/coding.ts";
import { refuse, type Refusal } from "../Refusal.ts";

/**
 * The body as it reads once its Content-Encoding is undone, decoded as it arrives and no faster
 * than it is read. A list of codings, or one that isn't known, is refused: it can't be searched.
 */
export async function decodeBody<Source extends AsyncIterable<Buffer>>(
  reply: Source,
  codings: readonly string[],
): Promise<Source | Readable | Refusal> {
  const coding = readCoding(codings);
  if (coding === undefined) return refuse("upstream-coding");
  if (coding === "identity") return reply;
  // Loaded late: an upstream that was asked for identity rarely compresses.
  const zlib = await import("node:zlib");
  return join(reply, makeDecoder(zlib, coding));
}

function makeDecoder(zlib: typeof Zlib, coding: Coding): Readable & NodeJS.WritableStream {
  const flush = zlib.constants.Z_SYNC_FLUSH;
  if (coding === "gzip") return zlib.createGunzip({ flush });
  if (coding === "deflate") return zlib.createInflate({ flush });
  if (coding === "br")
    return zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH });
  return zlib.createZstdDecompress({
    params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
  });
}

function join(reply: AsyncIterable<Buffer>, decoder: Readable & NodeJS.WritableStream): Readable {
  // The reader of `decoder` meets every error; the callback only keeps pipeline from throwing it.
  pipeline(reply, decoder, () => undefined);
  return decoder;
}
