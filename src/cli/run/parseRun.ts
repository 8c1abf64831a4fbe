import { resolve } from "node:path";
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import {
  CONCESSIONS,
  emptyProfile,
  isConcession,
  isHost,
  isPort,
  isVariable,
  readSize,
  SECRET_NAME,
  type Entry,
  type Profile,
} from "../../profiles/index.ts";
import type { RunRequest } from "../../run/index.ts";
import { UsageError } from "../UsageError.ts";

export interface RunCall {
  /** Undefined when help was asked for. */
  readonly request: RunRequest | undefined;
  readonly dryRun: boolean;
  readonly explain: boolean;
  readonly json: boolean;
  /** Name under which the flags are kept. */
  readonly saveProfile?: string;
}

const list = { type: "string", multiple: true } as const;
const one = { type: "string" } as const;
const yes = { type: "boolean" } as const;

/** Every flag; what each means to people stands in `commands/run.ts`. */
export const RUN_OPTIONS = {
  profile: { ...one, short: "p" },
  "save-profile": one,
  allow: list,
  read: list,
  write: list,
  "allow-file": list,
  "read-file": list,
  "write-file": list,
  "allow-cwd": yes,
  workdir: one,
  "allow-command": list,
  "allow-library": list,
  env: list,
  credential: list,
  "env-credential": list,
  "allow-domain": list,
  "deny-domain": list,
  "block-net": yes,
  "listen-port": list,
  "proxy-port": one,
  memory: one,
  "max-processes": one,
  "max-open-files": one,
  "max-file-size": one,
  concede: list,
  "dry-run": yes,
  explain: yes,
  json: yes,
  help: { ...yes, short: "h" },
} as const satisfies ParseArgsOptionsConfig;

/**
 * @param cwd where the call was made.
 * @param more whether a command has to follow.
 * @throws UsageError
 */
export function parseRun(args: readonly string[], cwd: string, more = true): RunCall {
  const { values, positionals } = parse(args);
  const [name, ...words] = positionals;
  const modes = {
    dryRun: values["dry-run"] === true,
    explain: values.explain === true,
    json: values.json === true,
    ...(values["save-profile"] === undefined ? {} : { saveProfile: values["save-profile"] }),
  };
  if (values.help === true) return { request: undefined, ...modes };
  if (name === undefined && more)
    throw new UsageError("the command is missing: seawall run [FLAGS] -- COMMAND …", HINT);
  if (name === "") throw new UsageError("the command is empty", HINT);
  const flags = flagProfile(values);
  return {
    request: {
      ...(values.profile === undefined ? {} : { profile: values.profile }),
      flags,
      command: [name ?? "true", ...words],
      workdir: resolve(cwd, values.workdir ?? "."),
    },
    ...modes,
  };
}

const HINT = "type: seawall run --help";

type Values = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: RUN_OPTIONS,
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    // Node's messages are sentences such as: Unknown option '--x'. To specify…
    const [first = ""] = error instanceof Error ? error.message.split(". ") : [];
    throw new UsageError(
      `${first.charAt(0).toLowerCase()}${first.slice(1)}`,
      "flags of the command itself come after --; type: seawall run --help",
    );
  }
}

type PathFlag =
  "allow" | "read" | "write" | "allow-file" | "read-file" | "write-file" | "allow-library";

/** The flags as a profile, so that they are merged, shown and explained like one. */
function flagProfile(values: Values): Profile {
  const none = emptyProfile("command line");
  const paths = (flag: PathFlag) =>
    (values[flag] ?? []).map((value) => {
      if (value === "" || value.includes("\0")) throw wrong(`--${flag}`, "a path");
      // Told from where the call is made; a profile has no such place.
      const path = /^[~$/]/.test(value) ? value : `./${value}`;
      return entry(path, `--${flag}`);
    });
  return {
    ...none,
    filesystem: {
      ...none.filesystem,
      allow: paths("allow"),
      read: paths("read"),
      write: paths("write"),
      allow_file: paths("allow-file"),
      read_file: paths("read-file"),
      write_file: paths("write-file"),
    },
    network: {
      ...none.network,
      ...(values["block-net"] === true ? { block: entry(true, "--block-net") } : {}),
      allowDomain: checked("allow-domain", values, isHost, 'a host\'s name, as "api.example.com"'),
      denyDomain: checked("deny-domain", values, isHost, 'a host\'s name, as "api.example.com"'),
      credentials: checked("credential", values, isName, "the name of a service"),
      listenPort: ports("listen-port", values["listen-port"] ?? []),
      ...proxy(values["proxy-port"]),
    },
    environmentCredentials: (values["env-credential"] ?? [])
      .flatMap((names) => names.split(","))
      .map((secret) => {
        if (!isName(secret))
          throw wrong("--env-credential", "names of secrets, as telegram_bot_token");
        const variable = secret.toUpperCase().replaceAll(/\W/g, "_");
        return entry({ secret, variable }, "--env-credential");
      }),
    ...(values["allow-cwd"] === true ? { workdir: entry("readwrite", "--allow-cwd") } : {}),
    exec: {
      ...none.exec,
      allow: checked("allow-command", values, isCommand, "a command's name or path"),
      libraries: paths("allow-library"),
    },
    environment: {
      allow: (values.env ?? []).flatMap((text) =>
        text.includes("=") ? [] : [entry(variableOf(text), "--env")],
      ),
      set: (values.env ?? []).flatMap((text) => {
        const at = text.indexOf("=");
        if (at === -1) return [];
        return [entry({ name: variableOf(text.slice(0, at)), value: text.slice(at + 1) }, "--env")];
      }),
    },
    limits: {
      ...limit("memory", sizeOf(values.memory, "--memory")),
      ...limit("processes", countOf(values["max-processes"], "--max-processes")),
      ...limit("openFiles", countOf(values["max-open-files"], "--max-open-files")),
      ...limit("fileSize", sizeOf(values["max-file-size"], "--max-file-size")),
    },
    concessions: (values.concede ?? []).map((name) => {
      if (!isConcession(name)) throw wrong("--concede", CONCESSIONS.join(" or "));
      return entry(name, "--concede");
    }),
  };
}

function checked(
  flag: "allow-domain" | "deny-domain" | "credential" | "allow-command",
  values: Values,
  right: (value: unknown) => boolean,
  what: string,
): readonly Entry<string>[] {
  return (values[flag] ?? []).map((value) => {
    if (!right(value)) throw wrong(`--${flag}`, what);
    return entry(value, `--${flag}`);
  });
}

function ports(flag: string, texts: readonly string[]): readonly Entry<number>[] {
  return texts.map((text) => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (!isPort(port)) throw wrong(`--${flag}`, "a port from 1 to 65535");
    return entry(port, `--${flag}`);
  });
}

function proxy(text: string | undefined): { proxyPort?: Entry<number> } {
  const [proxyPort] = text === undefined ? [] : ports("proxy-port", [text]);
  return proxyPort === undefined ? {} : { proxyPort };
}

function limit(
  key: keyof Profile["limits"],
  found: Entry<number> | undefined,
): Partial<Profile["limits"]> {
  return found === undefined ? {} : { [key]: found };
}

function sizeOf(text: string | undefined, flag: string): Entry<number> | undefined {
  if (text === undefined) return undefined;
  const bytes = readSize(text);
  if (bytes === undefined) throw wrong(flag, 'a size, as "2G"');
  return entry(bytes, flag);
}

function countOf(text: string | undefined, flag: string): Entry<number> | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw wrong(flag, "a number from 1 on");
  return entry(count, flag);
}

function variableOf(name: string): string {
  if (!isVariable(name)) throw wrong("--env", "NAME or NAME=VALUE");
  return name;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && SECRET_NAME.test(value);
}

function isCommand(value: unknown): boolean {
  return typeof value === "string" && /^(?:\/[^\0]*|[\w.+[-][\w.+-]*)$/.test(value);
}

function entry<T>(value: T, flag: string): Entry<T> {
  return { value, origin: { kind: "flag", flag } };
}

function wrong(flag: string, what: string): UsageError {
  return new UsageError(`${flag} takes ${what}`, HINT);
}
