/** One way in which a value may stand somewhere. */
export interface Spelling {
  /** For people: `plain`, `base64`, … */
  readonly spelling: string;
  readonly bytes: Uint8Array;
}

/**
 * A value plain, reversed, in UTF-16, hex, base64 (also its URL alphabet, at all three alignments),
 * percent-encoded and JSON-escaped. Spellings that are alike stand once, under the simplest name.
 */
export function spellValue(value: string): Spelling[] {
  const plain = Buffer.from(value);
  const hex = plain.toString("hex");
  const spellings: [string, Uint8Array][] = [
    ["plain", plain],
    ["reversed", Buffer.from(plain.toReversed())],
    ["UTF-16", Buffer.from(value, "utf16le")],
    ["UTF-16", Buffer.from(value, "utf16le").swap16()],
    ["hex", Buffer.from(hex)],
    ["hex", Buffer.from(hex.toUpperCase())],
    ["percent-encoded", Buffer.from(encodeURIComponent(value))],
    ["percent-encoded", Buffer.from(hex.replaceAll(/../g, "%$&"))],
    ["percent-encoded", Buffer.from(hex.toUpperCase().replaceAll(/../g, "%$&"))],
    ["JSON", Buffer.from(JSON.stringify(value).slice(1, -1))],
    ...base64Spellings(plain),
  ];
  const known = new Map(
    spellings
      .toReversed()
      .map(([spelling, bytes]) => [Buffer.from(bytes).toString("latin1"), { spelling, bytes }]),
  );
  return [...known.values()];
}

/** The middle of each of the three encodings, which doesn't depend on what stands before or behind. */
function base64Spellings(plain: Buffer): [string, Uint8Array][] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), plain]);
    const first = Math.ceil((before * 8) / 6);
    const end = Math.floor((padded.length * 8) / 6);
    return (["base64", "base64url"] as const).map((alphabet): [string, Uint8Array] => [
      "base64",
      Buffer.from(padded.toString(alphabet).slice(first, end)),
    ]);
  });
}
