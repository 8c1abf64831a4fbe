import { readFileSync } from "node:fs";
import type { Refused } from "./explainEnd.ts";

/** What the broker refused a command, from its record: names it may not know, calls it may not make. */
export function readRefusals(record: { readonly file: string; readonly since: string }): Refused[] {
  let lines: readonly string[] = [];
  try {
    lines = readFileSync(record.file, "utf8").split("\n");
  } catch {
    // It made no call.
  }
  return lines.flatMap((line): Refused[] => {
    const entry = parse(line);
    if (entry === undefined || entry.decision !== "refuse" || entry.time < record.since) return [];
    const { host = "", kind, method, path, code = "" } = entry;
    if (kind === "call")
      return [{ kind: "call", what: `${method ?? ""} ${host}${path ?? ""}`.trim(), code }];
    const name = host.replace(/:\d+$/, "");
    return name === "" ? [] : [{ kind: "connect", what: name }];
  });
}

interface Entry {
  readonly time: string;
  readonly decision?: string;
  readonly kind?: string;
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly code?: string;
}

function parse(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}
