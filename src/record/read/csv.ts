import { COMBO_FIELDS, NUMBER_FIELDS } from "./indexSchema.ts";

/** Columns of an exported table. */
export const CSV_FIELDS: readonly string[] = [
  "seq",
  "time",
  "id",
  ...COMBO_FIELDS.flatMap((name) => (name === "method" ? [name, "path"] : [name])),
  ...NUMBER_FIELDS,
  "count",
];

/**
 * One row of CSV (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it
 * (OWASP, CSV injection): bots choose paths and names.
 */
export function csvRow(cells: readonly unknown[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return "";
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
