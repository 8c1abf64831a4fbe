/** One recipient's copy of the file key (C2SP age.md, "Recipient stanza"). */
export interface Stanza {
  readonly type: string;
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** The header of an age v1 file, taken apart. */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  /** The bytes the MAC is over. */
  readonly signed: Uint8Array;
  readonly mac: Uint8Array;
  /** Nonce and encrypted chunks. */
  readonly payload: Uint8Array;
}

const MAGIC = "age-encryption.org/v1";

/** Whether the bytes begin as a (binary) age v1 file does. */
export function isAgeFile(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, MAGIC.length + 1)).toString("latin1") === `${MAGIC}\n`;
}

/**
 * Takes the header of a binary age v1 file apart, as strictly as the specification wants it (C2SP
 * age.md, "File header": canonical unpadded base64, body lines of 64 columns, a short last line).
 * Returns undefined for anything else.
 */
export function readAgeHeader(file: Uint8Array): AgeHeader | undefined {
  if (!isAgeFile(file)) return undefined;
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let at = MAGIC.length + 1;
  const nextLine = (): string | undefined => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) return undefined;
    const line = bytes.toString("latin1", at, end);
    at = end + 1;
    return line;
  };

  const stanzas: Stanza[] = [];
  for (;;) {
    const start = at;
    const line = nextLine();
    if (line === undefined) return undefined;
    if (line.startsWith("--- ")) {
      const mac = decodeBase64(line.slice(4));
      if (mac?.length !== 32 || stanzas.length === 0) return undefined;
      return {
        stanzas,
        signed: bytes.subarray(0, start + 3),
        mac,
        payload: bytes.subarray(at),
      };
    }
    if (!line.startsWith("-> ")) return undefined;
    const [type, ...args] = line.slice(3).split(" ");
    if (type === undefined || [type, ...args].some((arg) => !/^[\x21-\x7e]+$/.test(arg))) {
      return undefined;
    }
    const body = readBody(nextLine);
    if (body === undefined) return undefined;
    stanzas.push({ type, args, body });
  }
}

function readBody(nextLine: () => string | undefined): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (;;) {
    const line = nextLine();
    if (line === undefined || line.length > 64) return undefined;
    const part = decodeBase64(line);
    if (part === undefined) return undefined;
    parts.push(part);
    if (line.length < 64) return Buffer.concat(parts);
  }
}

/** Unpadded standard base64 in its one canonical spelling, else undefined. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  // Node's decoder skips what it doesn't know; encoding again shows whether it did.
  return bytes.toString("base64").replace(/=+$/, "") === text ? bytes : undefined;
}
