import { hash } from "node:crypto";

/** Stands for the hash before the first line. */
export const GENESIS = "0".repeat(64);

const HASH_FIELD = ',"hash":"';
/** The end of every line: `,"hash":"` and 64 hexadecimal digits and `"}`. */
const SEAL_LENGTH = HASH_FIELD.length + 64 + 2;
const SEAL = /,"hash":"([0-9a-f]{64})"\}$/;
const NUMBER = /^\{"seq":([1-9]\d{0,14}),/;
/** Longer than any line that the broker writes. */
export const LONGEST_LINE = 16 * 1024;

/** One line of the record, taken apart. */
export interface SealedLine {
  readonly seq: number;
  /** Everything before the hash field: the JSON object without it and without its closing brace. */
  readonly body: string;
  readonly hash: string;
}

/**
 * Makes a line of the record: `body` begins with `{"seq":N,` and has no closing brace. The hash is
 * SHA-256, in hexadecimal, over the previous line's 64 hexadecimal digits followed by the body.
 *
 * @returns the line without its line feed.
 */
export function sealLine(previous: string, body: string): { line: string; hash: string } {
  const sum = hashBody(previous, body);
  return { line: `${body}${HASH_FIELD}${sum}"}`, hash: sum };
}

/** What `line.hash` must be. */
export function hashBody(previous: string, body: string): string {
  return hash("sha256", previous + body, "hex");
}

/**
 * Takes a line apart without believing it.
 *
 * @param line read as latin1: a byte that isn't printable ASCII makes the line none of ours.
 */
export function readSealedLine(line: string): SealedLine | undefined {
  if (line.length > LONGEST_LINE || /[^\x20-\x7e]/.test(line)) return undefined;
  const seq = NUMBER.exec(line)?.[1];
  const sum = SEAL.exec(line.slice(-SEAL_LENGTH))?.[1];
  if (seq === undefined || sum === undefined || line.length <= SEAL_LENGTH) return undefined;
  return { seq: Number(seq), body: line.slice(0, -SEAL_LENGTH), hash: sum };
}

/** JSON in printable ASCII, whatever is in the texts: no byte of it can end a line or steer a terminal. */
export function asciiJson(value: object): string {
  const text = JSON.stringify(value);
  if (!/[^\x20-\x7e]/.test(text)) return text;
  return text.replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
