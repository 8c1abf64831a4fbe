/**
 * Bytes of which a credential in any spelling may be made. How much of a stream waits for what comes next
 * depends on them and nothing else: were it only what could be the beginning of the secret, then whoever
 * chooses some of a reply, and sees in which pieces it arrives, could try the secret out letter by letter.
 */
export type Alphabet = Uint8Array;

/** What escapes are made of, beside letters and digits, and the zeros of UTF-16. */
const SYNTAX = "%\\&#;\0";

/** Tokens as they are made: with these, JSON, lines and events end in something that doesn't wait. */
export const TOKEN_ALPHABET: Alphabet = alphabetOf(
  `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=:@${SYNTAX}`,
);

/** Everything that a secret may hold; lines still end in something else. */
export const PRINTABLE_ALPHABET: Alphabet = alphabetOf(
  `${String.fromCharCode(...Array.from({ length: 0x5f }, (_, index) => 0x20 + index))}${SYNTAX}`,
);

/** The smaller of the two that has all these bytes. */
export function alphabetFor(words: readonly Uint8Array[]): Alphabet {
  return words.every((word) => word.every((byte) => TOKEN_ALPHABET[byte] === 1))
    ? TOKEN_ALPHABET
    : PRINTABLE_ALPHABET;
}

/**
 * What `visit` gives for the first stretch, not before `from`, of at least `least` bytes of the alphabet. One
 * byte in `least` is looked at; where it is none of the alphabet no such stretch goes over it.
 */
export function findInStretches<Result>(
  bytes: Buffer,
  from: number,
  least: number,
  alphabet: Alphabet,
  visit: (start: number, end: number) => Result | undefined,
): Result | undefined {
  const { length } = bytes;
  let searched = from;
  let sample = from + least - 1;
  while (sample < length) {
    if (alphabet[bytes[sample] ?? 0] === 0) {
      sample += least;
      continue;
    }
    let start = sample;
    while (start > searched && alphabet[bytes[start - 1] ?? 0] === 1) start -= 1;
    let end = sample + 1;
    while (end < length && alphabet[bytes[end] ?? 0] === 1) end += 1;
    const result = end - start < least ? undefined : visit(start, end);
    if (result !== undefined) return result;
    searched = end;
    sample = end + least;
  }
  return undefined;
}

function alphabetOf(characters: string): Alphabet {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters, "latin1")) table[byte] = 1;
  return table;
}
