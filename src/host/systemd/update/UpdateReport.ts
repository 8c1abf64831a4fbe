import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../../files/index.ts";
import type { SystemPaths } from "../systemPaths.ts";

/** How the last update went. */
export interface UpdateReport {
  /** ISO 8601. */
  readonly at: string;
  /** begun: it is at work, or was cut off. none: there was nothing newer. */
  readonly outcome: "begun" | "none" | "updated" | "failed";
  readonly from?: readonly string[];
  readonly to?: string;
  readonly generation?: number;
  readonly why?: string;
  readonly remedy?: string;
  /** A version that was tried and failed: it isn't tried again by itself. */
  readonly refused?: string;
}

function reportFile({ state }: SystemPaths): string {
  return join(state, "update.json");
}

export function readUpdateReport(places: SystemPaths): UpdateReport | undefined {
  try {
    return JSON.parse(readFileSync(reportFile(places), "utf8")) as UpdateReport;
  } catch {
    return undefined;
  }
}

export function writeUpdateReport(places: SystemPaths, report: UpdateReport): void {
  writeFileAtomic(reportFile(places), `${JSON.stringify(report)}\n`, 0o600);
}
