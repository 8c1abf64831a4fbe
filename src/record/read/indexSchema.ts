/** Raised whenever the tables or what is put into them change: an index of another version is made anew. */
export const INDEX_VERSION = 2;

/** What calls have in common; a few hundred combinations stand for millions of lines. */
export const COMBO_FIELDS = [
  "kind",
  "bot",
  "grant",
  "host",
  "method",
  "rule",
  "decision",
  "outcome",
  "code",
  "status",
  "approvedBy",
  "httpVersion",
  "tokensEstimated",
  "secret",
] as const;

/** What is counted and can be summed. */
export const NUMBER_FIELDS = [
  "bytesOut",
  "bytesIn",
  "tokensIn",
  "tokensOut",
  "microdollars",
  "durationMs",
  "waitMs",
  "connectMs",
  "firstByteMs",
] as const;

export type ComboField = (typeof COMBO_FIELDS)[number];
export type NumberField = (typeof NUMBER_FIELDS)[number];

/**
 * `text` holds what has no bound: paths, and for kinds that a bot can cause at will (`dns`, `connect`) the
 * host in the path's stead, `combo.host` being null then. `day` holds sums by UTC day, so that counting years
 * needs no look at single lines.
 */
export const TABLES = `
CREATE TABLE file (id INTEGER PRIMARY KEY, first INTEGER NOT NULL UNIQUE, lines INTEGER NOT NULL,
  bytes INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL, intact INTEGER NOT NULL, stat TEXT);
CREATE TABLE combo (id INTEGER PRIMARY KEY, lines INTEGER NOT NULL, ${COMBO_FIELDS.map((name) => `"${name}"`).join(", ")});
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, lines INTEGER NOT NULL);
CREATE TABLE line (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL,
  combo INTEGER NOT NULL, text INTEGER, uid BLOB, count INTEGER,
  ${NUMBER_FIELDS.map((name) => `"${name}" INTEGER`).join(", ")});
CREATE TABLE day (file INTEGER NOT NULL, day INTEGER NOT NULL, combo INTEGER NOT NULL, calls INTEGER NOT NULL,
  ${NUMBER_FIELDS.map((name) => `"${name}" INTEGER NOT NULL`).join(", ")},
  PRIMARY KEY (file, day, combo)) WITHOUT ROWID;
`;

/** Made after the first filling, which is faster so. The second has all that counting by path needs. */
export const INDEXES = `
CREATE INDEX line_combo ON line (combo, time);
CREATE INDEX line_text ON line (text, combo, time, count) WHERE text IS NOT NULL;
`;

export const DAY_MS = 86_400_000;

/** Whether a line's host is in `text`. */
export function hostIsText(kind: unknown): boolean {
  return kind === "dns" || kind === "connect";
}
