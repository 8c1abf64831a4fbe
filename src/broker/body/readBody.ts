import { valuesOf, type Call } from "../match.ts";
import { isRefusal, refuse, type Refusal } from "../Refusal.ts";
import { readCoding, ZSTD_WINDOW_LOG, type Coding } from "./coding.ts";
import type { BodyRoom } from "./BodyRooms.ts";
import { mediaTypeOf } from "./bodyKind.ts";

/** A message with a photo is larger, but then it is not text that a rule could be about. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Collects a body that the decision depends on, its Content-Encoding undone. At most 4 MiB, as it
 * comes and as it reads, and no more of one bot's than `room` has.
 */
export async function readBody(
  call: Call,
  body: AsyncIterable<Buffer>,
  room: Pick<BodyRoom, "take">,
): Promise<Call | Refusal> {
  const coding = readCoding(valuesOf(call.headers, "content-encoding"));
  if (coding === undefined) return refuse("body-unreadable");
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > MOST_BYTES) return refuse("body-too-large");
      if (!room.take(chunk.length)) return refuse("too-many-bodies");
      chunks.push(chunk);
    }
  } catch {
    return refuse("malformed-request");
  }
  const collected = Buffer.concat(chunks);
  const bytes = coding === "identity" ? collected : await decode(collected, coding);
  if (isRefusal(bytes)) return bytes;
  if (bytes.length > length && !room.take(bytes.length - length)) return refuse("too-many-bodies");
  // What isn't well formed has no type: nothing that depends on it fits.
  const { type = "", parameters = new Map<string, string>() } = mediaTypeOf(call.headers) ?? {};
  return { ...call, content: { bytes, type, parameters } };
}

/** Away from the event loop's thread: four megabytes can be packed into few bytes. */
async function decode(bytes: Buffer, coding: Coding): Promise<Buffer | Refusal> {
  const zlib = await import("node:zlib");
  const options = { maxOutputLength: MOST_BYTES };
  return new Promise((resolve) => {
    const settle = (error: NodeJS.ErrnoException | null, decoded: Buffer): void => {
      if (error === null) resolve(decoded);
      else
        resolve(
          refuse(error.code === "ERR_BUFFER_TOO_LARGE" ? "body-too-large" : "body-unreadable"),
        );
    };
    switch (coding) {
      case "gzip":
        zlib.gunzip(bytes, options, settle);
        return;
      case "deflate":
        zlib.inflate(bytes, options, settle);
        return;
      case "br":
        zlib.brotliDecompress(bytes, options, settle);
        return;
      case "zstd":
        zlib.zstdDecompress(
          bytes,
          { ...options, params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } },
          settle,
        );
    }
  });
}
