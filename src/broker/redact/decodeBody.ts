import { pipeline, type Readable } from "node:stream";
import { refuse, type Refusal } from "../Refusal.ts";

/**
 * RFC 9659: a zstd window for HTTP is at most 8 MB; without a bound a reply could make the broker
 * take 128 MB. Brotli's and gzip's windows are bounded by their formats (16 MB, 32 KB).
 */
const ZSTD_WINDOW_LOG = 23;

/**
 * The body as it reads once its Content-Encoding is undone, decoded as it arrives and no faster
 * than it is read. A list of codings, or one that isn't known, is refused: it can't be searched.
 */
export async function decodeBody<Source extends AsyncIterable<Buffer>>(
  reply: Source,
  codings: readonly string[],
): Promise<Source | Readable | Refusal> {
  const list = codings
    .flatMap((value) => value.toLowerCase().split(","))
    .map((coding) => coding.trim());
  const named = list.filter((coding) => coding !== "" && coding !== "identity");
  const [coding] = named;
  if (coding === undefined) return reply;
  if (named.length > 1) return refuse("upstream-coding");
  // Loaded late: an upstream that was asked for identity rarely compresses.
  const zlib = await import("node:zlib");
  const flush = zlib.constants.Z_SYNC_FLUSH;
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return join(reply, zlib.createGunzip({ flush }));
    case "deflate":
      return join(reply, zlib.createInflate({ flush }));
    case "br":
      return join(
        reply,
        zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH }),
      );
    case "zstd":
      return join(
        reply,
        zlib.createZstdDecompress({
          params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
        }),
      );
    default:
      return refuse("upstream-coding");
  }
}

function join(reply: AsyncIterable<Buffer>, decoder: Readable & NodeJS.WritableStream): Readable {
  // The reader of `decoder` meets every error; the callback only keeps pipeline from throwing it.
  pipeline(reply, decoder, () => undefined);
  return decoder;
}
