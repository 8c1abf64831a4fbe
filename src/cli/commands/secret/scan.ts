import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { knownPhantoms, loadDeclaration, type StatePaths } from "../../../host/index.ts";
import type { Plan } from "../../../plan/index.ts";
import { scan, type Finding, type ScanReport } from "../../../scan/index.ts";
import { fingerprintSecrets, openDirect, type NamedSecret } from "../../../secrets/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { confirm } from "../../confirm.ts";
import { hasVault } from "../../hasVault.ts";
import { openExistingVault } from "../../openStore.ts";

/** Where shells and interpreters keep what was typed into them. */
const HISTORIES = [
  ".bash_history",
  ".zsh_history",
  ".histfile",
  ".sh_history",
  ".ash_history",
  ".local/share/fish/fish_history",
  ".node_repl_history",
  ".python_history",
  ".psql_history",
  ".sqlite_history",
];

/** `seawall secret scan`: exit 1 when something was found and is still there. */
export async function scanSecrets(call: Call, named: readonly string[]): Promise<ExitStatus> {
  const paths = named.length > 0 ? named : usualPaths(call.paths);
  const plan = declaredPlan(call);
  const secrets = await knownSecrets(call, plan?.secrets ?? []);
  const phantoms = knownPhantoms(call.paths, plan?.bots ?? []);
  const { fingerprints, tooShort } = fingerprintSecrets(secrets, phantoms);
  for (const name of tooShort)
    call.output.progress(`"${name}" is too short to look for: it would be found by chance`);
  const run = (redact: boolean): Promise<ScanReport> =>
    scan({ state: call.paths, paths, fingerprints, redact, onProgress: call.output.progress });
  let report = await run(false);
  const places = report.findings.length + report.more;
  if (call.flag("redact") && places > 0) {
    const files = new Set(report.findings.map(({ path }) => path)).size;
    call.output.progress(count(report));
    const go = await confirm(
      call,
      `overwrite what was found, at ${places} places in ${files} files, where it stands in text files?`,
    );
    if (go) report = await run(true);
  }
  print(call, report, secrets.length);
  const left = report.findings.filter(({ redacted }) => redacted !== true);
  return left.length > 0 || report.more > 0 ? 1 : 0;
}

/** Everything of this deployment that bots or Seawall write, and what people type. */
function usualPaths(paths: StatePaths): string[] {
  const bots = existsSync(paths.bots) ? readdirSync(paths.bots) : [];
  return [
    ...bots.map((name) => join(paths.bots, name)),
    paths.logs,
    paths.audit,
    paths.generations,
    join(homedir(), ".openclaw"),
    ...HISTORIES.map((name) => join(homedir(), name)),
  ].filter((path) => existsSync(path));
}

/** Every value of the vault, and of what the declaration here says of other stores. */
async function knownSecrets(call: Call, declared: Plan["secrets"]): Promise<NamedSecret[]> {
  const known: NamedSecret[] = [];
  if (hasVault(call)) {
    const vault = await openExistingVault(call);
    for (const { name } of await vault.list()) known.push({ name, value: await vault.read(name) });
  }
  const { file, identity } = call.paths.vault;
  const stores = openDirect({ vault: { file, identity } }, process.env);
  for (const { name, source } of declared) {
    if (source.store === "vault") continue;
    try {
      known.push({ name, value: await stores.read(source) });
    } catch {
      call.output.progress(`"${name}" can't be read from its store, so it isn't looked for`);
    }
  }
  return known;
}

/** What the declaration here says, if there is one without faults. */
function declaredPlan(call: Call): Plan | undefined {
  try {
    return loadDeclaration(call.value("file"), process.env).plan;
  } catch (error) {
    if (call.value("file") !== undefined) throw error;
    return undefined;
  }
}

function print(call: Call, report: ScanReport, values: number): void {
  if (call.json) {
    call.output.json({ ok: report.findings.length === 0, values, ...report });
    return;
  }
  for (const finding of report.findings) call.output.line(findingLine(finding));
  if (report.more > 0) call.output.line(`and ${report.more} more`);
  for (const { path, why } of report.unread) call.output.progress(`not searched: ${path}: ${why}`);
  call.output.line(count(report));
  const left = report.findings.filter(({ redacted }) => redacted !== true);
  if (left.some(({ kind }) => kind === "secret"))
    call.output.progress(
      "change what has leaked where it was issued, then: seawall secret rotate NAME",
    );
}

function findingLine(finding: Finding): string {
  const what =
    finding.kind === "secret"
      ? `the value of "${finding.secret}" (${finding.spelling})`
      : `looks like a credential (${finding.rule})`;
  return `${placeOf(finding)}: ${what}${finding.redacted === true ? ", overwritten" : ""}`;
}

function placeOf({ path, line, table, row, column, object, commit, file, part }: Finding): string {
  if (part !== undefined) return `${path} (its ${part})`;
  if (table !== undefined) return `${path} (table ${table}, row ${row ?? "?"}, ${column ?? "?"})`;
  const at = line === undefined ? "" : `:${line}`;
  if (object === undefined) return `${path}${at}`;
  const where =
    commit === undefined ? `object ${object.slice(0, 12)}` : `commit ${commit.slice(0, 12)}`;
  return `${path} (${where}${file === undefined ? "" : `, ${file}${at}`})`;
}

function count({ findings, more, files, bytes }: ScanReport): string {
  const secrets = findings.filter(({ kind }) => kind === "secret").length;
  const shapes = findings.length - secrets + more;
  return `${secrets} places with a known value, ${shapes} that look like a credential, in ${files} files (${Math.ceil(bytes / 1e6)} MB)`;
}
