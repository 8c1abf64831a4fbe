import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, parse } from "@humanwhocodes/momoa";
import { Failure } from "./Failure.ts";
import type { FoundCredential, Purpose } from "./Job.ts";
import { withCopy } from "./withCopy.ts";

/** What an installation holds that a migration is about. */
export interface Installation {
  readonly config: unknown;
  readonly credentials: readonly FoundCredential[];
  readonly left: readonly { readonly place: string; readonly why: string }[];
}

type Left = Installation["left"][number];

const CONFIG = "openclaw.json";
const DATABASE = "state/openclaw.sqlite";
const LARGEST = 16 * 1024 * 1024;

const SECRET_KEY =
  /(?:token|api[-_]?key|secret|passw(?:or)?d|private[-_]?key|signing[-_]?key|access[-_]?key)$/i;
/** A reference, to a variable or to a store: no value. */
const REFERENCE = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;
const VARIABLE_LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;

/**
 * Reads configuration, `.env` and the store of sign-ins of OpenClaw 2026.9; the files of older ones
 * (`auth-profiles.json`), too.
 *
 * @throws Failure `no-config`, `bad-config`, `includes`, `bad-database`, `too-large`
 */
export function readInstallation(folder: string): Installation {
  const config = readConfig(folder);
  const left: Left[] = [];
  const credentials = [
    ...fromProfiles(folder, left),
    ...fromConfig(config, left),
    ...fromEnvironment(folder),
  ].filter(({ value, place }) => {
    if (value.length >= 8 && !/\s/.test(value)) return true;
    left.push({ place, why: "it is too short, or of several words" });
    return false;
  });
  return { config, credentials, left };
}

function readConfig(folder: string): unknown {
  const text = readSmall(folder, CONFIG);
  if (text === undefined) throw new Failure("no-config", CONFIG);
  let value: unknown;
  try {
    // A string that ends with the text and a backslash makes momoa 3.3 loop for ever.
    const ended = text.endsWith("\\") ? `${text}\n` : text;
    value = evaluate(parse(ended, { mode: "json5", allowTrailingCommas: true }));
  } catch {
    throw new Failure("bad-config", CONFIG);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Failure("bad-config", CONFIG);
  if (text.includes("$include")) throw new Failure("includes", CONFIG);
  return value;
}

/** A regular file's text; undefined when there is none. Links aren't followed. */
function readSmall(folder: string, path: string): string | undefined {
  const file = join(folder, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return undefined;
  if (stats.size > LARGEST) throw new Failure("too-large", path);
  return readFileSync(file, "utf8");
}

function* fromConfig(config: unknown, left: Left[]): Generator<FoundCredential> {
  for (const { path, value } of strings(config, [])) {
    const key = path.at(-1) ?? "";
    const [section, second, third] = path;
    if (value === "" || REFERENCE.test(value)) continue;
    const place = `${CONFIG}: ${path.join(".")}`;
    // The gateway's own: Seawall makes another.
    if (section === "gateway" || section === "hooks") continue;
    if (section === "env") {
      const name = second === "vars" ? third : second;
      if (name !== undefined && second !== "shellEnv" && SECRET_KEY.test(name))
        yield { place, purpose: { kind: "variable", name }, value };
      continue;
    }
    if (!SECRET_KEY.test(key)) continue;
    // A SecretRef: its id is a name.
    if (key === "source" || key === "id") continue;
    const purpose = purposeOf(path);
    if (purpose.kind === "setting") left.push({ place, why: "nothing tells what it is for" });
    else yield { place, purpose, value };
  }
}

function purposeOf(path: readonly string[]): Purpose {
  const [section, second, third, fourth] = path;
  if (section === "channels" && second !== undefined && path.length === 3 && third !== undefined)
    return { kind: "channel", name: second, field: third };
  if (section === "models" && second === "providers" && third !== undefined && fourth === "apiKey")
    return { kind: "provider", name: third };
  if (
    (section === "plugins" || section === "skills") &&
    second === "entries" &&
    third !== undefined
  )
    return { kind: "plugin", name: third };
  return { kind: "setting", path: path.join(".") };
}

function* strings(
  value: unknown,
  path: readonly string[],
): Generator<{ readonly path: readonly string[]; readonly value: string }> {
  if (typeof value === "string") yield { path, value };
  else if (typeof value === "object" && value !== null && path.length < 32)
    for (const [key, child] of Object.entries(value)) yield* strings(child, [...path, key]);
}

/** dotenv(5)-like lines, as OpenClaw reads them from `.env` in its state folder. */
function* fromEnvironment(folder: string): Generator<FoundCredential> {
  const text = readSmall(folder, ".env") ?? "";
  for (const { name, value } of readVariables(text)) {
    if (SECRET_KEY.test(name))
      yield { place: `.env: ${name}`, purpose: { kind: "variable", name }, value };
  }
}

function readVariables(text: string): { readonly name: string; readonly value: string }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name, raw = ""] = VARIABLE_LINE.exec(line) ?? [];
    const value = /^(["'])(.*)\1/.exec(raw)?.[2] ?? raw.replace(/\s+#.*$/, "");
    return name === undefined || value === "" ? [] : [{ name, value }];
  });
}

interface Profile {
  readonly type?: unknown;
  readonly provider?: unknown;
  readonly key?: unknown;
  readonly token?: unknown;
}

function* fromProfiles(folder: string, left: Left[]): Generator<FoundCredential> {
  const stores = [...profilesInDatabase(folder), ...profilesInFiles(folder)];
  for (const { file, profiles } of stores) {
    for (const [id, profile] of Object.entries(profiles)) {
      const { type, provider, key, token } = profile;
      const place = `${file}: ${id}`;
      const name = typeof provider === "string" ? provider : (id.split(":")[0] ?? id);
      const value = type === "api_key" ? key : type === "token" ? token : undefined;
      if (typeof value === "string" && !REFERENCE.test(value))
        yield { place, purpose: { kind: "provider", name }, value };
      else if (type === "oauth")
        left.push({ place, why: "it is a sign-in that renews itself, which can't be moved yet" });
    }
  }
}

type Profiles = Readonly<Record<string, Profile>>;

function profilesInDatabase(folder: string): { file: string; profiles: Profiles }[] {
  const file = join(folder, DATABASE);
  if (!existsSync(file)) return [];
  if (!lstatSync(file).isFile()) throw new Failure("bad-database", DATABASE);
  try {
    return withCopy(file, (database) => {
      const row = database
        .prepare("SELECT value_json AS json FROM config_machine_state WHERE state_key = ?")
        .get("authProfiles.store") as { json: string } | undefined;
      return row === undefined ? [] : [{ file: DATABASE, profiles: profilesOf(row.json) }];
    });
  } catch (cause) {
    throw new Failure("bad-database", DATABASE, cause);
  }
}

/** Of versions before 2026.9, and what was left of them. */
function profilesInFiles(folder: string): { file: string; profiles: Profiles }[] {
  const agents = join(folder, "agents");
  const names = existsSync(agents) ? readdirSync(agents) : [];
  return names.flatMap((name) => {
    const file = `agents/${name}/agent/auth-profiles.json`;
    const text = readSmall(folder, file);
    return text === undefined ? [] : [{ file, profiles: profilesOf(text) }];
  });
}

function profilesOf(text: string): Profiles {
  try {
    const { profiles } = JSON.parse(text) as { profiles?: unknown };
    return typeof profiles === "object" && profiles !== null ? (profiles as Profiles) : {};
  } catch {
    return {};
  }
}
