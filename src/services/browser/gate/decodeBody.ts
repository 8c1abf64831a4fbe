import type { Readable, Transform } from "node:stream";
import zlib from "node:zlib";

/** What the gate asks hosts for; it undoes it itself, so that what counts is the size undone. */
export const ACCEPTED_CODINGS = "gzip, deflate, br";

/**
 * The stages that undo a body's Content-Encoding (RFC 9110 section 8.4), or undefined for one that the
 * gate never asked for. Several codings are never sent in earnest.
 */
export function decoderFor(coding: string): readonly Transform[] | undefined {
  switch (coding.trim().toLowerCase()) {
    case "":
    case "identity":
      return [];
    case "gzip":
    case "x-gzip":
      return [zlib.createGunzip()];
    case "deflate":
      return [zlib.createInflate()];
    case "br":
      return [zlib.createBrotliDecompress()];
    default:
      return undefined;
  }
}

/** A body through its stages; what goes wrong in one ends them all with that error. */
export function throughStages(body: Readable, stages: readonly Transform[]): Readable {
  let last = body;
  for (const stage of stages) {
    const before = last;
    before.on("error", (error) => stage.destroy(error));
    stage.on("close", () => before.destroy());
    last = before.pipe(stage);
  }
  return last;
}
