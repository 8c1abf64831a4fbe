import { createHash } from "node:crypto";

/** What a server says of a call: from its id alone, so that the client knows every byte of it. */
export function bodyOf(id: string, length: number, credential: string): string {
  const line = createHash("sha256").update(id).digest("base64");
  const half = line.repeat(Math.ceil(length / 2 / line.length)).slice(0, Math.ceil(length / 2));
  return `${half} your key is ${credential} ${half}\n`;
}

/** Lengths of the replies, by what their path says. */
export const LENGTHS: Readonly<Record<string, number>> = {
  ok: 400,
  big: 200_000,
  gzip: 30_000,
  br: 30_000,
  interim: 200,
  early: 300,
  slow: 2000,
  json: 300,
  form: 300,
  query: 300,
  asked: 100,
  shoal: 4000,
  visit: 500,
};

export const STREAM_CHUNKS = 25;

/** One event of a stream; each says the credential again. */
export function eventOf(id: string, index: number, credential: string): string {
  return `data: {"id":"${id}","index":${index},"key":"${credential}"}\n\n`;
}
