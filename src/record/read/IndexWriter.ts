import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { COMBO_FIELDS, DAY_MS, hostIsText, NUMBER_FIELDS } from "./indexSchema.ts";

/** So many different texts are remembered at once. */
const MOST_TEXTS = 200_000;

/** Puts lines into the index; sums and counts are kept here until `flush`. */
export class IndexWriter {
  readonly #database: DatabaseSync;
  readonly #insertLine: StatementSync;
  readonly #insertText: StatementSync;
  readonly #findText: StatementSync;
  readonly #countText: StatementSync;
  readonly #insertCombo: StatementSync;
  readonly #addDay: StatementSync;
  readonly #countCombo: StatementSync;
  readonly #combos = new Map<string, { readonly id: number; added: number }>();
  readonly #texts = new Map<string, { readonly id: number; added: number }>();
  readonly #days = new Map<string, { readonly key: readonly number[]; readonly sums: number[] }>();
  #nextText: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const quoted = NUMBER_FIELDS.map((name) => `"${name}"`);
    this.#insertLine = database.prepare(
      `INSERT INTO line (file, seq, time, combo, text, uid, count, ${quoted.join(", ")})
       VALUES (${marks(7 + NUMBER_FIELDS.length)})`,
    );
    this.#insertText = database.prepare("INSERT INTO text (id, text, lines) VALUES (?, ?, 0)");
    this.#findText = database.prepare("SELECT id FROM text WHERE text = ?");
    this.#countText = database.prepare("UPDATE text SET lines = lines + ? WHERE id = ?");
    this.#insertCombo = database.prepare(
      `INSERT INTO combo (lines, ${COMBO_FIELDS.map((name) => `"${name}"`).join(", ")})
       VALUES (0, ${marks(COMBO_FIELDS.length)})`,
    );
    this.#countCombo = database.prepare("UPDATE combo SET lines = lines + ? WHERE id = ?");
    this.#addDay = database.prepare(
      `INSERT INTO day VALUES (${marks(4 + NUMBER_FIELDS.length)})
       ON CONFLICT (file, day, combo) DO UPDATE SET calls = calls + excluded.calls,
       ${quoted.map((name) => `${name} = ${name} + excluded.${name}`).join(", ")}`,
    );
    const most = database.prepare("SELECT coalesce(max(id), 0) AS id FROM text").get();
    this.#nextText = Number(most?.["id"] ?? 0) + 1;
    for (const row of database.prepare("SELECT * FROM combo").all())
      this.#combos.set(comboKey(COMBO_FIELDS.map((name) => row[name])), {
        id: Number(row["id"]),
        added: 0,
      });
  }

  /** @param text a line of the record, with or without its hash. A line of another kind than a call's is left out. */
  add(file: number, seq: number, text: string): void {
    const record = parse(text);
    const time = typeof record["time"] === "string" ? Date.parse(record["time"]) : Number.NaN;
    if (Number.isNaN(time) || typeof record["id"] !== "string") return;
    const inText = hostIsText(record["kind"]);
    const values = COMBO_FIELDS.map((name) =>
      inText && name === "host" ? null : plain(record[name]),
    );
    const combo = this.#comboOf(values);
    const shown = inText ? record["host"] : record["path"];
    const numbers = NUMBER_FIELDS.map((name) => numberOr(record[name]));
    const count = numberOr(record["count"]);
    this.#insertLine.run(
      file,
      seq,
      time,
      combo,
      typeof shown === "string" ? this.#textOf(shown) : null,
      Buffer.from(record["id"].replaceAll("-", ""), "hex"),
      count,
      ...numbers,
    );
    this.#addToDay([file, Math.floor(time / DAY_MS), combo], count ?? 1, numbers);
  }

  /** Writes what was gathered; before the transaction ends. */
  flush(): void {
    for (const { key, sums } of this.#days.values()) this.#addDay.run(...key, ...sums);
    this.#days.clear();
    for (const combo of this.#combos.values()) {
      if (combo.added > 0) this.#countCombo.run(combo.added, combo.id);
      combo.added = 0;
    }
    this.#flushTexts();
  }

  /** Takes everything of a file out again. */
  drop(file: number): void {
    this.flush();
    this.#texts.clear();
    this.#database.exec(
      `UPDATE text SET lines = lines - dropped.lines
         FROM (SELECT text AS id, count(*) AS lines FROM line WHERE file = ${file} GROUP BY text) AS dropped
         WHERE text.id = dropped.id;
       UPDATE combo SET lines = lines - dropped.lines
         FROM (SELECT combo AS id, count(*) AS lines FROM line WHERE file = ${file} GROUP BY combo) AS dropped
         WHERE combo.id = dropped.id;
       DELETE FROM line WHERE file = ${file};
       DELETE FROM day WHERE file = ${file};
       DELETE FROM file WHERE id = ${file};
       DELETE FROM text WHERE lines = 0;`,
    );
  }

  #comboOf(values: SQLInputValue[]): number {
    const key = comboKey(values);
    let known = this.#combos.get(key);
    if (known === undefined) {
      known = { id: Number(this.#insertCombo.run(...values).lastInsertRowid), added: 0 };
      this.#combos.set(key, known);
    }
    known.added += 1;
    return known.id;
  }

  #textOf(text: string): number {
    let known = this.#texts.get(text);
    if (known === undefined) {
      if (this.#texts.size >= MOST_TEXTS) {
        this.#flushTexts();
        this.#texts.clear();
      }
      const there = this.#findText.get(text);
      if (there === undefined) {
        this.#insertText.run(this.#nextText, text);
        known = { id: this.#nextText, added: 0 };
        this.#nextText += 1;
      } else known = { id: Number(there["id"]), added: 0 };
      this.#texts.set(text, known);
    }
    known.added += 1;
    return known.id;
  }

  #flushTexts(): void {
    for (const text of this.#texts.values()) {
      if (text.added > 0) this.#countText.run(text.added, text.id);
      text.added = 0;
    }
  }

  #addToDay(key: readonly number[], calls: number, numbers: readonly (number | null)[]): void {
    const name = key.join(" ");
    const there = this.#days.get(name);
    if (there === undefined) {
      this.#days.set(name, { key, sums: [calls, ...numbers.map((value) => value ?? 0)] });
      return;
    }
    const { sums } = there;
    sums[0] = (sums[0] ?? 0) + calls;
    for (let at = 0; at < numbers.length; at += 1)
      sums[at + 1] = (sums[at + 1] ?? 0) + (numbers[at] ?? 0);
  }
}

function comboKey(values: readonly unknown[]): string {
  return JSON.stringify(values);
}

function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

function plain(value: unknown): string | number | null {
  if (value === true) return 1;
  return typeof value === "string" || typeof value === "number" ? value : null;
}

function numberOr(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Math.round(value) : null;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
