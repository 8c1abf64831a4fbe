/** A Content-Encoding that can be undone. */
export type Coding = "gzip" | "deflate" | "br" | "zstd";

/**
 * RFC 9659: a zstd window for HTTP is at most 8 MB; without a bound a body could make the broker
 * take 128 MB. Brotli's and gzip's windows are bounded by their formats (16 MB, 32 KB).
 */
export const ZSTD_WINDOW_LOG = 23;

/**
 * Which coding the values of Content-Encoding name. `undefined`: a list of several, or one that can't be undone,
 * so that the body can't be searched.
 */
export function readCoding(values: readonly string[]): Coding | "identity" | undefined {
  const named = values
    .flatMap((value) => value.toLowerCase().split(","))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  const [coding = "identity"] = named;
  if (named.length > 1) return undefined;
  switch (coding) {
    case "identity":
    case "gzip":
    case "deflate":
    case "br":
    case "zstd":
      return coding;
    case "x-gzip":
      return "gzip";
    default:
      return undefined;
  }
}
