import type { Header } from "../../match.ts";
import { areFields } from "./fields.ts";

/**
 * Trailers as lines. Those that can't be written as fields are left out: by then the head is sent
 * and nothing depends on them.
 */
export function composeTrailers(trailers: readonly Header[]): string {
  let out = "";
  for (const [name, value] of trailers) {
    const line = `${name}: ${value}\r\n`;
    if (areFields(line) && line.indexOf("\r\n") === line.length - 2) out += line;
  }
  return out;
}
