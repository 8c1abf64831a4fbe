import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { auditFile, auditPublicKey } from "../../../host/index.ts";
import { openReader, publicKeyOf, type Finding, type Verification } from "../../../record/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { UsageError } from "../../UsageError.ts";

/** `seawall audit verify`: 1 when anything was found. */
export async function verify({ value, paths, output, json }: Call): Promise<ExitStatus> {
  const { verifyRecord } = await openReader();
  const given = value("key");
  const own = given === undefined ? auditPublicKey(paths) : readKey(given);
  const from = value("from");
  const head = value("head");
  if (head !== undefined && !existsSync(head))
    throw new UsageError(`"${head}" is not there`, "name a copy of the record's audit.head");
  const result = await verifyRecord(auditFile(paths), {
    keys: own === undefined ? [] : [own],
    from: from === undefined ? undefined : basename(from),
    ...(head === undefined ? {} : { heads: [readFileSync(head, "latin1")] }),
  });
  if (json) output.json(result);
  else for (const line of resultLines(result)) output.line(line);
  return result.ok ? 0 : 1;
}

/** As shown: 32 bytes in base64url; or a PEM file. */
function readKey(given: string): string {
  if (/^[\w-]{43}$/.test(given)) return given;
  if (!existsSync(given))
    throw new UsageError(
      "that is no public key",
      "give what audit verify showed, or a file with the key as PEM",
    );
  return publicKeyOf(readFileSync(given, "utf8"));
}

function resultLines(result: Verification): string[] {
  const { findings, found, notes, head, keys } = result;
  const more = found - findings.length;
  return [
    ...findings.map(findingLine),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...notes.map((note) => `note: ${note}`),
    ...(found + notes.length > 0 ? [""] : []),
    found === 0 ? "the record is whole" : `the record is NOT whole: ${found} findings`,
    result.first === undefined
      ? "  it has no line yet"
      : `  lines ${result.first} to ${result.last ?? ""} in ${result.files} ${result.files === 1 ? "file" : "files"}, ${result.checkpoints} checkpoints`,
    `  its last line's hash is ${result.hash}`,
    ...(head === undefined
      ? []
      : [
          `  its head, ${result.signed ? "signed" : "not signed"}, names line ${head.seq} of ${head.time}`,
        ]),
    ...keys.map(({ key, id }) => `  public key ${key} (${id})`),
    ...(keys.length === 0 ? ["  there is no key, so signatures were not checked"] : []),
  ];
}

function findingLine({ code, message, file, line }: Finding): string {
  const where = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}: `;
  return `${code}: ${where}${message}`;
}
