import { once } from "node:events";
import { auditFile } from "../../../host/index.ts";
import { openReader, recordNames } from "../../../record/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { UsageError } from "../../UsageError.ts";
import { readTime } from "./readTime.ts";

/** `seawall audit export`: lines as they are, or a table. */
export async function exportRecord({ value, paths, json }: Call): Promise<ExitStatus> {
  const format = value("format") ?? "jsonl";
  if (format !== "jsonl" && format !== "csv")
    throw new UsageError("there is no such format", "there are: jsonl, csv");
  if (json && format === "csv") throw new UsageError("csv is no JSON", "leave out one of the two");
  const now = Date.now();
  const [since, until] = [value("since"), value("until")].map((text) =>
    text === undefined ? undefined : new Date(readTime(text, now)).toISOString(),
  );
  const { CSV_FIELDS, csvRow, openRecord, readLines } = await openReader();
  const { stdout } = process;
  const asItIs = (line: string): string => `${line}\n`;
  const row = (line: string): string => {
    const record = callOf(line);
    return record === undefined ? "" : csvRow(CSV_FIELDS.map((name) => record[name]));
  };
  let broken = false;
  stdout.once("error", () => {
    broken = true;
  });
  const write = async (text: string): Promise<void> => {
    if (text !== "" && !broken && !stdout.write(text))
      await Promise.race([once(stdout, "drain"), once(stdout, "close")]).catch(() => undefined);
  };
  if (format === "csv") await write(csvRow(CSV_FIELDS));
  using files = openRecord(recordNames(auditFile(paths)));
  for (const file of files) {
    for await (const { lines } of readLines(file)) {
      if (broken) return 0;
      const chosen = lines.filter((line) => inSpan(line, since, until));
      await write(format === "jsonl" ? chosen.map(asItIs).join("") : chosen.map(row).join(""));
    }
  }
  return 0;
}

/** Times of one form compare as texts do. */
function inSpan(line: string, since: string | undefined, until: string | undefined): boolean {
  if (since === undefined && until === undefined) return true;
  const time = /"time":"([^"]+)"/.exec(line)?.[1] ?? "";
  return (since === undefined || time >= since) && (until === undefined || time < until);
}

/** Checkpoints and notices are no calls. */
function callOf(line: string): Record<string, unknown> | undefined {
  try {
    const record = JSON.parse(line) as Record<string, unknown>;
    return typeof record["id"] === "string" ? record : undefined;
  } catch {
    return undefined;
  }
}
