import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { openTools } from "../../../secrets/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { openExisting } from "../../openStore.ts";
import { UsageError } from "../../UsageError.ts";

/** `seawall secret export NAME… --to FORM --out PATH`. There is no form that isn't encrypted. */
export async function exportTo(call: Call, names: readonly string[]): Promise<ExitStatus> {
  const { EXPORT_FORMS, exportSecrets } = await openTools();
  const form = EXPORT_FORMS.find((each) => each === call.value("to"));
  if (form === undefined)
    throw new UsageError("--to names no form", `there are: ${EXPORT_FORMS.join(", ")}`);
  const out = call.value("out");
  if (out === undefined) throw new UsageError("--out is missing", "name what to write: --out PATH");
  const recipients = readRecipients(call.value("recipients"));
  const store = await openExisting(call);
  const values = new Map(
    await Promise.all(names.map(async (name) => [name, await store.read(name)] as const)),
  );
  const { files, note } = await exportSecrets(values, { form, out: resolve(out), recipients });
  if (call.json) call.output.json({ ok: true, files, ...(note === undefined ? {} : { note }) });
  else {
    for (const file of files) call.output.line(`wrote ${file}`);
    if (note !== undefined) call.output.line(note);
  }
  return 0;
}

/** Text of a file as `age -R` takes it; none when none is named. */
export function readRecipients(file: string | undefined): string {
  if (file === undefined) return "";
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(
      "the file of recipients can't be read",
      "name a file of public keys, one a line",
    );
  }
}
