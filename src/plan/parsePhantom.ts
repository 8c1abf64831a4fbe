import type { PhantomAlphabet, PhantomPart, PhantomShape } from "./Plan.ts";

const PART = /\{(digits|hex|base32|alphanumeric|base64url):([1-9]\d{0,2})\}/g;
const BITS: Record<PhantomAlphabet, number> = {
  digits: Math.log2(10),
  hex: 4,
  base32: 5,
  alphanumeric: Math.log2(62),
  base64url: 6,
};
/** Guessing at network speed must be hopeless, and so must a chance hit in a body. */
const LEAST_BITS = 96;

/**
 * Parses a phantom template such as `sk-ant-api03-{base64url:93}AA`.
 *
 * @returns the shape, or in plain words what is wrong with the template.
 */
export function parsePhantom(template: string): PhantomShape | { readonly wrong: string } {
  const parts: PhantomPart[] = [];
  let bits = 0;
  let end = 0;
  for (const match of template.matchAll(PART)) {
    if (match.index > end) parts.push({ text: template.slice(end, match.index) });
    const alphabet = match[1] as PhantomAlphabet;
    const length = Number(match[2]);
    parts.push({ alphabet, length });
    bits += BITS[alphabet] * length;
    end = match.index + match[0].length;
  }
  if (end < template.length) parts.push({ text: template.slice(end) });
  const text = parts.map((part) => ("text" in part ? part.text : "")).join("");
  if (!/^[A-Za-z0-9._:~+/=-]*$/.test(text)) {
    return { wrong: "has a character that is not a letter, a digit or one of . _ : ~ + / = -" };
  }
  if (bits < LEAST_BITS)
    return { wrong: "has too few random characters to be impossible to guess" };
  return parts;
}
