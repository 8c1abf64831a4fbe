import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { catalogue } from "../catalogue/index.ts";
import { sameSecret, SecretValue, type WritableStore } from "../secrets/index.ts";
import { MigrationError } from "./MigrationError.ts";
import type { Installation, LeftOut } from "./openInstallation.ts";

/** A value that could be imported. */
export interface Candidate {
  /** Where it stands, for a person. */
  readonly place: string;
  /** What the secret would be called. */
  readonly name: string;
  readonly value: SecretValue;
}

/** What an import would take, and what not. No value shows in it. */
export interface ImportPlan {
  readonly take: readonly Candidate[];
  /** In the store already, with the same value. */
  readonly known: readonly Candidate[];
  /** In the store under this name, with another value. */
  readonly clashes: readonly Candidate[];
  readonly left: readonly LeftOut[];
}

const LARGEST = 1024 * 1024;
const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*?)\s*$/;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/**
 * Sorts candidates by what the store has: nothing is taken twice, and nothing is replaced unasked. Of
 * several with one name and value the first counts.
 */
export async function planImport(
  candidates: readonly Candidate[],
  left: readonly LeftOut[],
  store: Pick<WritableStore, "list" | "read">,
): Promise<ImportPlan> {
  const there = new Set((await store.list()).map(({ name }) => name));
  const take = new Map<string, Candidate>();
  const known: Candidate[] = [];
  const clashes: Candidate[] = [];
  for (const candidate of candidates) {
    const { name, value } = candidate;
    const taken = take.get(name);
    const old = taken?.value ?? (there.has(name) ? await store.read(name) : undefined);
    if (old === undefined) take.set(name, candidate);
    else if (sameSecret(old, value)) known.push(candidate);
    else clashes.push(candidate);
  }
  return { take: [...take.values()], known, clashes, left };
}

/**
 * Reads a file of `NAME=value` lines, as shells and dotenv have them: `export`, quotes and comments;
 * nothing is expanded. A name that the catalogue knows gets the service's name.
 *
 * @throws MigrationError `unreadable`
 */
export function readEnvFile(file: string): {
  readonly candidates: readonly Candidate[];
  readonly left: readonly LeftOut[];
} {
  const left: LeftOut[] = [];
  const candidates = readRegular(file)
    .split(/\r?\n/)
    .flatMap((line, index): Candidate[] => {
      if (/^\s*(?:#|$)/.test(line)) return [];
      const place = `${file}:${index + 1}`;
      const [, variable = "", raw = ""] = LINE.exec(line) ?? [];
      const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(raw);
      const value = quoted?.[2] ?? raw.replace(/\s+#.*$/, "");
      const name = nameOf(variable);
      if (variable === "" || !NAME.test(name)) left.push({ place, why: "it isn't NAME=value" });
      else if (value === "") left.push({ place, why: "it has no value" });
      else if (quoted === null && /^["']/.test(raw))
        left.push({
          place,
          why: "its quote isn't closed on the line",
          hint: `store it with: seawall secret set ${name}`,
        });
      else if (quoted?.[1] !== "'" && /\\[nrt"\\$]|\$[A-Za-z_{(]|`/.test(value))
        left.push({
          place,
          why: "a shell would change it",
          hint: `store it with: seawall secret set ${name}`,
        });
      else return [{ place, name, value: new SecretValue(value) }];
      return [];
    });
  return { candidates, left };
}

/** The credentials of an OpenClaw installation, left where they are. @throws MigrationError */
export async function readOpenClaw(installation: Installation): Promise<{
  readonly candidates: readonly Candidate[];
  readonly left: readonly LeftOut[];
}> {
  const { credentials, left } = await installation.read();
  const candidates = credentials.map(({ place, purpose, value }): Candidate => {
    const name = purpose.kind === "setting" ? purpose.path : purpose.name;
    return { place, name: purpose.kind === "variable" ? nameOf(name) : serviceName(name), value };
  });
  return { candidates, left };
}

/** What another program has in a store that can list, as nono has in the keyring. @throws SecretError */
export async function readStore(
  store: Pick<WritableStore, "list" | "read">,
  where: string,
): Promise<{ readonly candidates: readonly Candidate[]; readonly left: readonly LeftOut[] }> {
  const candidates: Candidate[] = [];
  const left: LeftOut[] = [];
  for (const { name: account } of await store.list()) {
    const place = `${where}: ${account}`;
    const name = nameOf(account);
    if (NAME.test(name)) candidates.push({ place, name, value: await store.read(account) });
    else left.push({ place, why: "it has a name that a secret can't have" });
  }
  return { candidates, left };
}

/** The service whose variable it is, or the variable in a secret's letters. */
function nameOf(variable: string): string {
  const known = [...catalogue.values()].find((entry) => entry.variable === variable.toUpperCase());
  return (
    known?.name ??
    variable
      .toLowerCase()
      .replaceAll("_", "-")
      .replace(/^[-.]+/, "")
  );
}

function serviceName(name: string): string {
  const known = [...catalogue.values()].find(
    (entry) => entry.name === name || entry.provider === name || entry.channel === name,
  );
  return (
    known?.name ??
    (name
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/g, "-")
      .slice(0, 63) ||
      "secret")
  );
}

function readRegular(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT" ? "is not there" : code === "ELOOP" ? "is a link" : "can't be read";
    throw new MigrationError("unreadable", `"${file}" ${why}`, { cause });
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > LARGEST)
      throw new MigrationError("unreadable", `"${file}" is no file of variables`);
    const bytes = readFileSync(fd);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof MigrationError) throw cause;
    // The decoder's error says nothing of the text.
    throw new MigrationError("unreadable", `"${file}" is not UTF-8`, { cause });
  } finally {
    closeSync(fd);
  }
}
