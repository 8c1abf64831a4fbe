import { statSync } from "node:fs";
import {
  auditFile,
  currentGeneration,
  readGeneration,
  resolveSecrets,
  type Generation,
  type StatePaths,
} from "../../../host/index.ts";
import { existsSync } from "node:fs";
import { openReader } from "../../../record/index.ts";
import type { SecretSource } from "../../../plan/index.ts";
import { locateVault, type StoredSecret } from "../../../secrets/index.ts";
import type { Call, ExitStatus } from "../../Command.ts";
import { openExisting, openExistingVault, storeName } from "../../openStore.ts";

/** A line of the list; never a value, nor its length. */
interface Listed {
  readonly name: string;
  readonly store: string;
  /** ISO 8601; absent where the store doesn't tell. */
  readonly updated?: string;
  /** When a call last carried it, by the record. */
  readonly lastUse?: string;
}

/** `seawall secret list`: the vault's, and what the declaration in force has in other stores. */
export async function list(call: Call): Promise<ExitStatus> {
  const secrets = call.value("store") === undefined ? await known(call) : await inStore(call);
  if (call.json) call.output.json({ secrets });
  else if (secrets.length === 0)
    call.output.line("no secrets yet; store one with: seawall secret set NAME");
  else for (const line of table(secrets)) call.output.line(line);
  return 0;
}

async function inStore(call: Call): Promise<Listed[]> {
  const store = storeName(call);
  if (store === "vault" && !(await locateVault(call.paths.vault.folder)).exists) return [];
  return (await (await openExisting(call)).list()).map((secret) => ({ ...secret, store }));
}

async function known(call: Call): Promise<Listed[]> {
  const { paths } = call;
  const { exists } = await locateVault(paths.vault.folder);
  const kept: readonly StoredSecret[] = exists ? await (await openExistingVault(call)).list() : [];
  const number = currentGeneration(paths);
  const generation = number === undefined ? undefined : readGeneration(paths, number);
  const uses =
    generation === undefined ? new Map<string, string>() : await lastUses(paths, generation);
  const declared = (generation === undefined ? [] : resolveSecrets(generation)).map(
    ({ name, source }): Listed & { readonly key?: string } => ({
      name,
      store: source.store,
      ...(source.store === "vault" ? { key: source.key } : {}),
      ...changed(source),
      ...(uses.has(name) ? { lastUse: uses.get(name) ?? "" } : {}),
    }),
  );
  const inVault = kept.map((secret): Listed => {
    const uses_ = declared.filter(({ key }) => key === secret.name).flatMap((d) => d.lastUse ?? []);
    const last = uses_.toSorted().at(-1);
    return { ...secret, store: "vault", ...(last === undefined ? {} : { lastUse: last }) };
  });
  return [...inVault, ...declared.filter(({ store }) => store !== "vault")].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** When a file that holds one was last changed. */
function changed(source: SecretSource): { updated?: string } {
  if (!("path" in source) || source.path === undefined) return {};
  const stats = statSync(source.path, { throwIfNoEntry: false });
  return stats === undefined ? {} : { updated: stats.mtime.toISOString() };
}

/** By secret: when the newest allowed call of a grant that uses it began. */
async function lastUses(
  paths: StatePaths,
  { plan }: Generation,
): Promise<ReadonlyMap<string, string>> {
  const last = new Map<string, string>();
  if (!existsSync(auditFile(paths))) return last;
  const reader = await openReader();
  const { database } = await reader.openIndex(auditFile(paths), paths.auditIndex);
  try {
    for (const bot of plan.bots) {
      for (const grant of bot.grants) {
        if (grant.kind !== "inject") continue;
        const filter = { bot: bot.name, grant: grant.name, kind: "call", decision: "allow" };
        const [record] = reader.listRecords(database, filter, 1);
        if (record !== undefined && record.time > (last.get(grant.secret) ?? ""))
          last.set(grant.secret, record.time);
      }
    }
  } finally {
    database.close();
  }
  return last;
}

function table(secrets: readonly Listed[]): string[] {
  const rows = secrets.map(({ name, store, updated, lastUse }) => [
    name,
    store,
    day(updated),
    day(lastUse),
  ]);
  const all = [["name", "store", "changed", "last used"], ...rows];
  const widths = [0, 1, 2].map((at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function day(time: string | undefined): string {
  return time === undefined ? "-" : time.replace("T", " ").replace(/\.\d+Z$|Z$/, "");
}
