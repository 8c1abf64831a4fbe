const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS = 64;

/** Whether a file is in age's armored form: white space may come before it. */
export function isArmored(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 1024)).toString("latin1").trimStart().startsWith(BEGIN);
}

/**
 * The binary file inside an armored one (C2SP age.md, "ASCII armor": strict RFC 7468, padded canonical
 * base64 in lines of 64 columns, the last one shorter or as long). Undefined for anything else.
 */
export function dearmor(file: Uint8Array): Buffer | undefined {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("latin1");
  // White space only around it, as age takes it.
  const inner = text.replace(/^[ \t\r\n]+/, "").replace(/[ \t\r\n]+$/, "");
  const lines = inner.split("\n").map((line) => line.replace(/\r$/, ""));
  if (lines[0] !== BEGIN || lines.length < 3 || lines.at(-1) !== END) return undefined;
  const body = lines.slice(1, -1);
  const whole = body.slice(0, -1).every((line) => line.length === COLUMNS);
  const last = body.at(-1) ?? "";
  if (!whole || last.length === 0 || last.length > COLUMNS) return undefined;
  const base64 = body.join("");
  const bytes = Buffer.from(base64, "base64");
  // Node's decoder skips what it doesn't know; encoding again shows whether it did.
  return bytes.toString("base64") === base64 ? bytes : undefined;
}
