import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { AuditRecord } from "../AuditRecord.ts";
import { COMBO_FIELDS, DAY_MS, NUMBER_FIELDS, type NumberField } from "./indexSchema.ts";

/** Which lines. Everything that is given must hold. */
export interface Filter {
  readonly kind?: string;
  readonly bot?: string;
  readonly grant?: string;
  /** `name` or `name:port`. */
  readonly host?: string;
  readonly method?: string;
  readonly rule?: string;
  readonly decision?: string;
  readonly outcome?: string;
  readonly code?: string;
  readonly pathPrefix?: string;
  /** Milliseconds since the epoch, by when calls began: from `since` on, before `until`. */
  readonly since?: number;
  readonly until?: number;
}

/** What can be counted by. */
export const GROUPS = [...COMBO_FIELDS, "path", "day"] as const;
export type Group = (typeof GROUPS)[number];
export const SUMS = NUMBER_FIELDS;

/** Calls (a line that stands for several counts as that many) and the sum of a field over them. */
export interface Counted {
  readonly key: string | null;
  readonly calls: number;
  readonly sum?: number;
}

const EXACT = ["kind", "bot", "grant", "method", "rule", "decision", "outcome", "code"] as const;
/** Up to so many lines are fetched by their text; more are met soon enough when going back in time. */
const FEW_LINES = 200_000;

/** The newest lines that fit, the newest first. */
export function listRecords(database: DatabaseSync, filter: Filter, limit: number): AuditRecord[] {
  const found = sources(database, filter).flatMap((source) =>
    newest(database, source, filter, limit),
  );
  const chosen = found
    .toSorted((a, b) => b.time - a.time || b.id - a.id)
    .slice(0, limit)
    .map(({ id }) => id);
  const read = database.prepare(
    `SELECT line.*, text.text AS shown, ${COMBO_FIELDS.map((name) => `combo."${name}" AS "${name}"`).join(", ")}
     FROM line JOIN combo ON combo.id = line.combo LEFT JOIN text ON text.id = line.text WHERE line.id = ?`,
  );
  return chosen.flatMap((id) => {
    const row = read.get(id);
    return row === undefined ? [] : [recordOf(row)];
  });
}

/** Counts, by a field or all together, the most frequent first (days in their order). */
export function countRecords(
  database: DatabaseSync,
  filter: Filter,
  by: Group | undefined,
  sum: NumberField | undefined,
): Counted[] {
  const totals = new Map<string | null, { calls: number; sum: number }>();
  for (const source of sources(database, filter)) {
    for (const part of grouped(database, source, filter, by, sumOf(sum))) {
      const before = totals.get(part.key) ?? { calls: 0, sum: 0 };
      totals.set(part.key, { calls: before.calls + part.calls, sum: before.sum + part.sum });
    }
  }
  if (by === undefined && totals.size === 0) totals.set(null, { calls: 0, sum: 0 });
  const counted = [...totals].map(([key, { calls, sum: total }]) => ({
    key,
    calls,
    ...(sum === undefined ? {} : { sum: total }),
  }));
  return counted.toSorted((a, b) =>
    by === "day"
      ? String(a.key).localeCompare(String(b.key))
      : (b.sum ?? b.calls) - (a.sum ?? a.calls) || String(a.key).localeCompare(String(b.key)),
  );
}

/** Lines that have their host in the same place, and what is known of them before looking. */
interface Source {
  readonly combos: readonly number[];
  readonly hostInText: boolean;
  /** Condition on `text`, when only some texts will do, with its values. */
  readonly texts?: { readonly where: string; readonly values: readonly string[] };
}

function sources(database: DatabaseSync, filter: Filter): Source[] {
  const where: string[] = [];
  const values: string[] = [];
  for (const name of EXACT) {
    const value = filter[name];
    if (value === undefined) continue;
    where.push(`"${name}" = ?`);
    values.push(value);
  }
  const combosWith = (more: string, moreValues: readonly string[] = []): number[] =>
    database
      .prepare(`SELECT id FROM combo WHERE ${[...where, more].join(" AND ")}`)
      .all(...values, ...moreValues)
      .map((row) => Number(row["id"]));
  const { host, pathPrefix } = filter;
  const named: Source = {
    combos:
      host === undefined
        ? combosWith("kind NOT IN ('dns', 'connect')")
        : combosWith(
            "kind NOT IN ('dns', 'connect') AND (host = ? OR substr(host, 1, length(?) + 1) = ? || ':')",
            [host, host, host],
          ),
    hostInText: false,
    ...(pathPrefix === undefined
      ? {}
      : { texts: { where: "text >= ? AND text < ?", values: [pathPrefix, after(pathPrefix)] } }),
  };
  // These have no path.
  if (pathPrefix !== undefined) return [named];
  const unbounded: Source = {
    combos: combosWith("kind IN ('dns', 'connect')"),
    hostInText: true,
    ...(host === undefined
      ? {}
      : {
          texts: {
            where: "(text = ? OR (text >= ? AND text < ?))",
            values: [host, `${host}:`, `${host};`],
          },
        }),
  };
  return [named, unbounded].filter(({ combos }) => combos.length > 0);
}

function newest(
  database: DatabaseSync,
  source: Source,
  filter: Filter,
  limit: number,
): { id: number; time: number }[] {
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = filter;
  if (source.texts === undefined) {
    const read = database.prepare(
      "SELECT id, time FROM line WHERE combo = ? AND time >= ? AND time < ? ORDER BY time DESC LIMIT ?",
    );
    return source.combos
      .flatMap((combo) => read.all(combo, since, until, limit) as { id: number; time: number }[])
      .toSorted((a, b) => b.time - a.time)
      .slice(0, limit);
  }
  const ofTexts = wantTexts(database, source);
  const ofCombos = wantCombos(database, source);
  const few = Math.min(ofTexts, ofCombos) <= FEW_LINES;
  const how = ofTexts <= ofCombos ? "INDEXED BY line_text" : "INDEXED BY line_combo";
  return database
    .prepare(
      `SELECT id, time FROM line ${few ? how : "NOT INDEXED"}
       WHERE text IN want_text AND combo IN want_combo AND time >= ? AND time < ?
         AND text IS NOT NULL ORDER BY ${few ? "time" : "id"} DESC LIMIT ?`,
    )
    .all(since, until, limit) as unknown as { id: number; time: number }[];
}

interface Sums {
  readonly key: string | null;
  readonly calls: number;
  readonly sum: number;
}

function grouped(
  database: DatabaseSync,
  source: Source,
  filter: Filter,
  by: Group | undefined,
  sum: string,
): Sums[] {
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = filter;
  wantCombos(database, source);
  const byText = by === "path" ? !source.hostInText : by === "host" && source.hostInText;
  if (source.texts === undefined && !byText) {
    // Whole days from their sums, and what is left at both ends from the lines.
    const from = Math.ceil(since / DAY_MS);
    const to = Math.max(from, Math.floor(until / DAY_MS));
    const key = keyOf(by, "day.day");
    const days = database
      .prepare(
        `SELECT ${key} AS key, sum(day.calls) AS calls, sum(${sum === "0" ? "0" : `day."${sum}"`}) AS sum
         FROM day JOIN combo ON combo.id = day.combo
         WHERE day.combo IN want_combo AND day.day >= ? AND day.day < ? GROUP BY 1`,
      )
      .all(from, to);
    const edges: [number, number][] =
      from * DAY_MS >= until
        ? [[since, until]]
        : [
            [since, from * DAY_MS],
            [to * DAY_MS, until],
          ];
    return [
      ...days.map(sumsOf),
      ...edges
        .filter(([start, end]) => start < end)
        .flatMap(([start, end]) =>
          ofLines(database, keyOf(by, `line.time / ${DAY_MS}`), sum, start, end, ""),
        ),
    ];
  }
  if (source.texts !== undefined) wantTexts(database, source);
  const key = byText ? "text.text" : keyOf(by, `line.time / ${DAY_MS}`);
  const texts = `AND line.text IS NOT NULL ${source.texts === undefined ? "" : "AND line.text IN want_text"}`;
  return ofLines(database, key, sum, since, until, texts, byText);
}

/** Sums over single lines; `texts` is a condition, by whose index they are then found. */
function ofLines(
  database: DatabaseSync,
  key: string,
  sum: string,
  since: number,
  until: number,
  texts: string,
  byText = false,
): Sums[] {
  // Grouped by number first: the texts are looked up once for each, not for each line.
  const inner = byText ? "line.text" : key;
  const select = `SELECT ${inner} AS key, sum(coalesce(line.count, 1)) AS calls,
      sum(${sum === "0" ? "0" : `coalesce(line."${sum}", 0)`}) AS sum
    FROM line ${texts === "" ? "" : "INDEXED BY line_text"}
      ${inner.startsWith("combo.") ? "CROSS JOIN combo ON combo.id = line.combo" : ""}
    WHERE line.combo IN want_combo AND line.time >= ? AND line.time < ? ${texts} GROUP BY 1`;
  const sql = byText
    ? `SELECT text.text AS key, counted.calls, counted.sum FROM (${select}) AS counted
       LEFT JOIN text ON text.id = counted.key`
    : select;
  return database.prepare(sql).all(since, until).map(sumsOf);
}

function keyOf(by: Group | undefined, day: string): string {
  if (by === undefined || by === "path") return "NULL";
  if (by === "day") return `date((${day}) * 86400, 'unixepoch')`;
  return `combo."${by}"`;
}

function sumOf(sum: NumberField | undefined): string {
  return sum ?? "0";
}

function sumsOf(row: Record<string, unknown>): Sums {
  const { key, calls, sum } = row;
  return {
    key: typeof key === "string" || typeof key === "number" ? String(key) : null,
    calls: Number(calls),
    sum: Number(sum),
  };
}

/** @returns how many lines have these. */
function wantCombos(database: DatabaseSync, { combos }: Source): number {
  want(database, "want_combo", "SELECT value FROM json_each(?)", [JSON.stringify(combos)]);
  return linesOf(database, "combo");
}

/** @returns how many lines have these texts. */
function wantTexts(database: DatabaseSync, { texts }: Source): number {
  if (texts === undefined) return 0;
  want(database, "want_text", `SELECT id FROM text WHERE ${texts.where}`, texts.values);
  return linesOf(database, "text");
}

function linesOf(database: DatabaseSync, table: "combo" | "text"): number {
  const row = database
    .prepare(`SELECT coalesce(sum(lines), 0) AS lines FROM ${table} WHERE id IN want_${table}`)
    .get();
  return Number(row?.["lines"] ?? 0);
}

function want(
  database: DatabaseSync,
  table: string,
  select: string,
  values: readonly SQLInputValue[],
): void {
  database.exec(
    `DROP TABLE IF EXISTS temp.${table}; CREATE TEMP TABLE ${table} (id INTEGER PRIMARY KEY)`,
  );
  database.prepare(`INSERT OR IGNORE INTO temp.${table} ${select}`).run(...values);
}

/** The first text that doesn't begin with `prefix` and comes after all that do. */
function after(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}

function recordOf(row: Record<string, unknown>): AuditRecord {
  const inText = row["kind"] === "dns" || row["kind"] === "connect";
  const uid = Buffer.from(row["uid"] as Uint8Array).toString("hex");
  const fields: Record<string, unknown> = {
    seq: row["seq"],
    id: uid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    time: new Date(Number(row["time"])).toISOString(),
    bot: row["bot"],
    kind: row["kind"],
    grant: row["grant"],
    secret: row["secret"],
    host: inText ? row["shown"] : row["host"],
    method: row["method"],
    path: inText ? null : row["shown"],
    httpVersion: row["httpVersion"],
    rule: row["rule"],
    decision: row["decision"],
    outcome: row["outcome"],
    code: row["code"],
    status: row["status"],
    count: row["count"],
    approvedBy: row["approvedBy"],
    tokensEstimated: row["tokensEstimated"] === 1 ? true : undefined,
  };
  for (const name of NUMBER_FIELDS) fields[name] = row[name];
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  ) as unknown as AuditRecord;
}
