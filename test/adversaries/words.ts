import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Bytes } from "./Case.ts";

/** What stands for `{word}` in a case. */
export type Words = Readonly<Record<string, string>>;

/** A case's bytes with its words filled in. A word that the target doesn't have is an error of the case's `needs`. */
export function fill(bytes: Bytes, words: Words): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  if (typeof bytes === "function") return bytes((text) => fillText(text, words));
  return Buffer.from(fillText(bytes, words), "latin1");
}

export function fillText(text: string, words: Words): string {
  return text.replaceAll(/\{([a-z][a-z0-9-]*)\}/g, (_all, name: string) => {
    const word = words[name];
    if (word === undefined) throw new Error(`the target has no word for {${name}}`);
    return word;
  });
}

/** What is made of a target's words: encodings of the secret, and chunks, whose length nobody knows beforehand. */
export function derive(words: Words): Words {
  const { phantom = "", secret } = words;
  const spelled: Record<string, string> = {};
  if (secret !== undefined) {
    const text = `key: ${secret} `.repeat(3);
    const gzip = gzipSync(text);
    Object.assign(spelled, {
      "secret-base64": Buffer.from(secret).toString("base64"),
      "secret-hex": Buffer.from(secret).toString("hex"),
      "secret-gzip": gzip.toString("latin1"),
      "secret-gzip-twice": gzipSync(gzip).toString("latin1"),
      "secret-br": brotliCompressSync(text).toString("latin1"),
      "secret-chunked": secret.replaceAll(/./g, (char) => `1\r\n${char}\r\n`),
    });
  }
  const all = { ...words, ...spelled, "phantom-rest": phantom.slice(1) };
  const chunks = Object.entries(all).map(([name, text]) => [
    `${name}-chunk`,
    `${text.length.toString(16)}\r\n${text}\r\n`,
  ]);
  return { ...all, ...(Object.fromEntries(chunks) as Words) };
}
