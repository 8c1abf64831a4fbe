import { watch } from "node:fs";
import { auditFile } from "../../../host/index.ts";
import { openReader, type AuditRecord } from "../../../record/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { readNumber } from "./readTime.ts";
import { recordLine } from "./recordLine.ts";

/** `seawall audit tail`: the last calls, each in a line, and with `--follow` those that come. */
export async function tail({ value, flag, paths, output, json }: Call): Promise<ExitStatus> {
  const count = readNumber(value("lines") ?? "20", 0, "seawall audit tail -n 100");
  const bot = value("bot");
  const { RecordTail } = await openReader();
  const show = (line: string): void => {
    if (json) {
      process.stdout.write(`${line}\n`);
      return;
    }
    const record = parse(line);
    if (record !== undefined) output.line(recordLine(record));
  };
  const wanted = (line: string): boolean => {
    const record = parse(line);
    return record?.id !== undefined && (bot === undefined || record.bot === bot);
  };
  const tail = new RecordTail(auditFile(paths), wanted);
  for (const line of await tail.last(count)) show(line);
  if (!flag("follow")) return 0;
  await follow(paths.audit, () => tail.more(show));
  return 0;
}

/** Until the process is interrupted. `more` runs once at a time. */
async function follow(folder: string, more: () => Promise<void>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let running = false;
  let again = false;
  const look = async (): Promise<void> => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await more();
    }
    running = false;
  };
  const watcher = watch(folder, () => {
    look().catch(reject);
  });
  await look();
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
  process.stdout.once("error", resolve);
  try {
    await promise;
  } finally {
    watcher.close();
  }
}

function parse(line: string): Partial<AuditRecord> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
