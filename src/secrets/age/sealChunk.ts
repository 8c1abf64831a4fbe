import { createCipheriv } from "node:crypto";

/** ChaCha20-Poly1305 with the tag behind the text (RFC 8439). */
export function sealChunk(key: Uint8Array, nonce: Uint8Array, text: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}
