import type { AuditRecord } from "../../../record/index.ts";

/**
 * One call in one line for people: time, bot, what, outcome, how much and how long. Nothing in a
 * record can steer a terminal (it is printable ASCII), and `Output` sees to it once more.
 */
export function recordLine(record: Partial<AuditRecord> & { readonly count?: number }): string {
  const { time = "", bot = "", kind = "", grant, host = "", method, path = "" } = record;
  const what = kind === "mint" ? `mint ${record.secret ?? ""}` : (method ?? kind);
  const where = kind === "ingress" ? path : `${host}${path}`;
  return [
    time.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    bot.padEnd(10),
    mark(record),
    what,
    where,
    ...(grant === undefined ? [] : [`(${grant})`]),
    ...details(record),
  ].join("  ");
}

function mark({ outcome, code }: Partial<AuditRecord>): string {
  return code === undefined ? (outcome ?? "") : `${outcome ?? ""}: ${code}`;
}

function details(record: Partial<AuditRecord>): string[] {
  const { status, bytesOut, bytesIn, tokensIn, tokensOut, microdollars, waitMs, count } = record;
  const parts: string[] = [];
  if (status !== undefined) parts.push(String(status));
  if (bytesOut !== undefined || bytesIn !== undefined)
    parts.push(`${bytes(bytesOut ?? 0)} out, ${bytes(bytesIn ?? 0)} in`);
  if (tokensIn !== undefined || tokensOut !== undefined)
    parts.push(`${tokensIn ?? 0}+${tokensOut ?? 0} tokens`);
  if (microdollars !== undefined) parts.push(`$${(microdollars / 1e6).toFixed(4)}`);
  if (record.approvedBy !== undefined) parts.push(`approved (${record.approvedBy})`);
  if (waitMs !== undefined) parts.push(`waited ${seconds(waitMs)}`);
  if (count !== undefined) parts.push(`${count} times`);
  if (record.durationMs !== undefined && count === undefined)
    parts.push(seconds(record.durationMs));
  return parts.length === 0 ? [] : [parts.join(", ")];
}

function bytes(count: number): string {
  if (count < 10_000) return `${count} B`;
  if (count < 10_000_000) return `${Math.round(count / 1000)} kB`;
  return `${Math.round(count / 1_000_000)} MB`;
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
