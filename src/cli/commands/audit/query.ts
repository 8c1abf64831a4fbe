import { auditFile } from "../../../host/index.ts";
import {
  openReader,
  type Filter,
  type NumberField,
  type RecordGroup,
} from "../../../record/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { UsageError } from "../../UsageError.ts";
import { readNumber, readTime } from "./readTime.ts";
import { recordLine } from "./recordLine.ts";

const FILTERS = ["bot", "grant", "host", "kind", "outcome", "code", "decision", "method"] as const;

/** `seawall audit query`: the newest calls that fit, or counts of them. */
export async function query(call: Call): Promise<ExitStatus> {
  const { output, json, paths, value } = call;
  const reader = await openReader();
  const filter = filterOf(call);
  const by = oneOf(value("count-by"), reader.GROUPS);
  const sum = oneOf(value("sum"), reader.SUMS);
  const limit = readNumber(value("limit") ?? "50", 1, "seawall audit query --limit 100");
  const { database, update } = await reader.openIndex(auditFile(paths), paths.auditIndex);
  try {
    if (!update.intact)
      output.progress("warning: the record is not whole; see: seawall audit verify");
    if (by === undefined && sum === undefined) {
      const records = reader.listRecords(database, filter, limit).toReversed();
      if (json) output.json({ records, intact: update.intact });
      else for (const record of records) output.line(recordLine(record));
      return 0;
    }
    const counted = reader.countRecords(database, filter, by, sum);
    const shown = value("limit") === undefined ? counted : counted.slice(0, limit);
    if (json) output.json({ by, sum, counted: shown, intact: update.intact });
    else for (const line of table(shown, by, sum)) output.line(line);
    return 0;
  } finally {
    database.close();
  }
}

function filterOf({ value }: Call): Filter {
  const now = Date.now();
  const filter: { -readonly [Key in keyof Filter]: Filter[Key] } = {};
  for (const name of FILTERS) {
    const given = value(name);
    if (given !== undefined) filter[name] = given;
  }
  const pathPrefix = value("path-prefix");
  if (pathPrefix !== undefined) filter.pathPrefix = pathPrefix;
  for (const name of ["since", "until"] as const) {
    const given = value(name);
    if (given !== undefined) filter[name] = readTime(given, now);
  }
  return filter;
}

function oneOf<T extends string>(given: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((name) => name === given);
  if (given !== undefined && found === undefined)
    throw new UsageError("there is no such field", `there are: ${known.join(", ")}`);
  return found;
}

function table(
  counted: readonly { key: string | null; calls: number; sum?: number }[],
  by: RecordGroup | undefined,
  sum: NumberField | undefined,
): string[] {
  const rows = [
    [...(by === undefined ? [] : [by]), "calls", ...(sum === undefined ? [] : [sum])],
    ...counted.map(({ key, calls, sum: total }) => [
      ...(by === undefined ? [] : [key ?? "(none)"]),
      String(calls),
      ...(sum === undefined ? [] : [String(total ?? 0)]),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const text = by === undefined ? -1 : 0;
  return rows.map((row) =>
    row
      .map((cell, at) =>
        at === text ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
