/**
 * Values of x-amz-content-sha256 other than a hash
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 */
const UNSIGNED: ReadonlySet<string> = new Set([
  "UNSIGNED-PAYLOAD",
  // Chunks without signatures; a checksum of the body follows them.
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
]);

/** Hex of the SHA-256 of nothing. */
export const EMPTY_PAYLOAD = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Whether a request with this value can be signed anew from its head alone. The other words of AWS's say
 * that each chunk of the body carries a signature that goes back to that of the head.
 */
export function isSignable(payload: string): boolean {
  return UNSIGNED.has(payload) || /^[0-9a-f]{64}$/.test(payload);
}
