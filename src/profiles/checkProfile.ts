import { isConcession, isHost, isPort, isVariable, PROFILE_NAME, SECRET_NAME } from "./words.ts";
import { checkCustom } from "./checkCustom.ts";
import { CONCESSIONS, FILESYSTEM_KEYS } from "./Profile.ts";
import type { Entry, FilesystemKey, Profile, ProfileSource } from "./Profile.ts";
import { NOT_HONOURED } from "./notHonoured.ts";
import { readSize } from "./readSize.ts";

/** One thing wrong with a profile, as the declaration's faults are. */
export interface ProfileFault {
  readonly code: "unknown-key" | "invalid" | "no-effect";
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  readonly atKey?: boolean;
}

const TOP_KEYS = [
  "$schema",
  "meta",
  "extends",
  "filesystem",
  "network",
  "env_credentials",
  "secrets",
  "workdir",
  "exec",
  "environment",
  "limits",
  "concessions",
  "interactive",
] as const;

/**
 * Turns a parsed document into a profile. Nothing is skipped: a key that is unknown, or known to
 * nono but not to be honoured here, is a fault. All faults are reported.
 */
export function checkProfile(
  value: unknown,
  identity: { readonly name: string; readonly source: ProfileSource },
): { readonly profile: Profile; readonly faults: readonly ProfileFault[] } {
  const reader = new Reader(identity);
  const top = reader.object(value, [], TOP_KEYS);
  const meta = reader.object(top["meta"], ["meta"], META_KEYS);
  const filesystem = reader.object(
    top["filesystem"],
    ["filesystem"],
    [...FILESYSTEM_KEYS, "ignore"],
  );
  const network = reader.object(top["network"], ["network"], NETWORK_KEYS);
  const workdir = reader.object(top["workdir"], ["workdir"], ["access"]);
  const exec = reader.object(top["exec"], ["exec"], ["allow", "libraries"]);
  const environment = reader.object(top["environment"], ["environment"], ["allow_vars", "set"]);
  const limits = reader.object(top["limits"], ["limits"], LIMIT_KEYS);
  for (const key of META_KEYS) reader.text(meta[key], ["meta", key]);
  reader.text(top["$schema"], ["$schema"]);
  // A terminal is always passed through, so both values are honoured.
  reader.boolean(top["interactive"], ["interactive"]);
  const title = reader.text(meta["name"], ["meta", "name"]);
  const description = reader.text(meta["description"], ["meta", "description"]);
  const version = reader.text(meta["version"], ["meta", "version"]);
  const block = reader.boolean(network["block"], ["network", "block"]);
  const proxyPort = reader.checked(network["proxy_port"], ["network", "proxy_port"], isPort, PORT);
  const access = reader.checked(workdir["access"], ["workdir", "access"], isAccess, ACCESS);
  const paths = Object.fromEntries(
    FILESYSTEM_KEYS.map((key) => [key, reader.paths(filesystem, key)]),
  ) as unknown as Record<FilesystemKey, readonly Entry<string>[]>;
  const profile: Profile = {
    ...identity,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(version === undefined ? {} : { version }),
    extends: reader.oneOrMore(top["extends"], ["extends"], isProfileName, "the name of a profile"),
    filesystem: {
      ...paths,
      suppress_save_prompt: [
        ...paths.suppress_save_prompt,
        ...reader.list(filesystem["ignore"], ["filesystem", "ignore"], isPath, PATH),
      ],
    },
    network: {
      ...(block === undefined ? {} : { block: reader.entry(block, ["network", "block"]) }),
      allowDomain: reader.list(network["allow_domain"], ["network", "allow_domain"], isHost, HOST),
      denyDomain: reader.list(network["deny_domain"], ["network", "deny_domain"], isHost, HOST),
      credentials: reader.list(
        network["credentials"],
        ["network", "credentials"],
        isSecretName,
        "the name of a service",
      ),
      custom: checkCustom(network["custom_credentials"], reader),
      listenPort: reader.list(network["listen_port"], ["network", "listen_port"], isPort, PORT),
      bind: reader.list(network["bind"], ["network", "bind"], isPort, PORT),
      ...(proxyPort === undefined
        ? {}
        : { proxyPort: reader.entry(proxyPort, ["network", "proxy_port"]) }),
    },
    environmentCredentials: [
      ...reader.variables(top["env_credentials"], "env_credentials"),
      ...reader.variables(top["secrets"], "secrets"),
    ],
    ...(access === undefined ? {} : { workdir: reader.entry(access, ["workdir", "access"]) }),
    exec: {
      allow: reader.list(exec["allow"], ["exec", "allow"], isCommand, "a command or a path"),
      libraries: reader.list(exec["libraries"], ["exec", "libraries"], isPath, PATH),
    },
    environment: {
      allow: reader.list(
        environment["allow_vars"],
        ["environment", "allow_vars"],
        isVariablePattern,
        'a variable, which may end in "*"',
      ),
      set: reader.settings(environment["set"]),
    },
    limits: {
      ...reader.size(limits, "memory"),
      ...reader.count(limits, "processes"),
      ...reader.count(limits, "openFiles"),
      ...reader.size(limits, "fileSize"),
    },
    concessions: reader.list(
      top["concessions"],
      ["concessions"],
      isConcession,
      CONCESSIONS.map((name) => `"${name}"`).join(" or "),
    ),
  };
  return { profile, faults: reader.faults };
}

const META_KEYS = ["name", "version", "description", "author"] as const;
const NETWORK_KEYS = [
  "block",
  "allow_domain",
  "deny_domain",
  "credentials",
  "custom_credentials",
  "listen_port",
  "bind",
  "proxy_port",
] as const;
const LIMIT_KEYS = ["memory", "processes", "openFiles", "fileSize"] as const;
const PORT = "a port from 1 to 65535";
const HOST = 'the name of a host, as "api.example.com"; patterns are not granted here';
const PATH = "a path that begins with / or ~ or a variable such as $HOME";
const ACCESS = '"none", "read", "write" or "readwrite"';

/** Reads values of one profile, and collects what is wrong with them. */
export class Reader {
  readonly faults: ProfileFault[] = [];
  readonly #identity: { readonly name: string; readonly source: ProfileSource };

  constructor(identity: { readonly name: string; readonly source: ProfileSource }) {
    this.#identity = identity;
  }

  entry<T>(value: T, path: readonly (string | number)[]): Entry<T> {
    const { name, source } = this.#identity;
    return {
      value,
      origin: {
        kind: "profile",
        profile: name,
        ...(source.kind === "file" ? { file: source.file } : {}),
        path,
      },
    };
  }

  fault(path: readonly (string | number)[], message: string, hint?: string, atKey = false): void {
    this.faults.push({
      code: "invalid",
      path,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(atKey ? { atKey } : {}),
    });
  }

  /** An object with no other keys than these; empty when it is absent or something else. */
  object(
    value: unknown,
    path: readonly (string | number)[],
    keys: readonly string[],
  ): Readonly<Record<string, unknown>> {
    const object = this.record(value, path);
    for (const key of Object.keys(object)) {
      if (keys.includes(key)) continue;
      const reason =
        NOT_HONOURED[[...path, key].filter((step) => typeof step === "string").join(".")];
      this.faults.push({
        code: "unknown-key",
        path: [...path, key],
        atKey: true,
        message:
          reason === undefined
            ? `there is no key "${key.slice(0, 40)}" here`
            : `"${key}" can't be honoured: ${reason[0]}`,
        hint: reason?.[1] ?? `known are: ${keys.join(", ")}`,
      });
    }
    return object;
  }

  record(value: unknown, path: readonly (string | number)[]): Readonly<Record<string, unknown>> {
    if (value === undefined) return {};
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    this.fault(path, "this has to be an object", "write it in braces");
    return {};
  }

  text(value: unknown, path: readonly (string | number)[]): string | undefined {
    return this.checked(value, path, isText, "text");
  }

  boolean(value: unknown, path: readonly (string | number)[]): boolean | undefined {
    return this.checked(value, path, isBoolean, "true or false");
  }

  checked<T>(
    value: unknown,
    path: readonly (string | number)[],
    right: (value: unknown) => value is T,
    what: string,
  ): T | undefined {
    if (value === undefined) return undefined;
    if (right(value)) return value;
    if (!this.faults.some((fault) => fault.path.join("\0") === path.join("\0")))
      this.fault(path, "this is not right here", `write ${what}`);
    return undefined;
  }

  list<T>(
    value: unknown,
    path: readonly (string | number)[],
    right: (value: unknown) => value is T,
    what: string,
  ): readonly Entry<T>[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.fault(path, "this has to be a list", "write it in brackets");
      return [];
    }
    return value.flatMap((item: unknown, index) => {
      const checked = this.checked(item, [...path, index], right, what);
      return checked === undefined ? [] : [this.entry(checked, [...path, index])];
    });
  }

  oneOrMore<T>(
    value: unknown,
    path: readonly (string | number)[],
    right: (value: unknown) => value is T,
    what: string,
  ): readonly Entry<T>[] {
    if (Array.isArray(value)) return this.list(value, path, right, what);
    const one = this.checked(value, path, right, what);
    return one === undefined ? [] : [this.entry(one, path)];
  }

  /** Bytes of one of the limits, under its own key; nothing if the profile doesn't say. */
  size<K extends "memory" | "fileSize">(
    limits: Readonly<Record<string, unknown>>,
    key: K,
  ): Partial<Record<K, Entry<number>>> {
    if (limits[key] === undefined) return {};
    const path = ["limits", key];
    const bytes = readSize(limits[key]);
    if (bytes !== undefined) return { [key]: this.entry(bytes, path) } as Record<K, Entry<number>>;
    this.fault(path, "this is no size", 'write bytes, or text as "2G"');
    return {};
  }

  count<K extends "processes" | "openFiles">(
    limits: Readonly<Record<string, unknown>>,
    key: K,
  ): Partial<Record<K, Entry<number>>> {
    const path = ["limits", key];
    const count = this.checked(limits[key], path, isCount, "a whole number from 1 on");
    if (count === undefined) return {};
    return { [key]: this.entry(count, path) } as Record<K, Entry<number>>;
  }

  paths(
    filesystem: Readonly<Record<string, unknown>>,
    key: FilesystemKey,
  ): readonly Entry<string>[] {
    return this.list(filesystem[key], ["filesystem", key], isPath, PATH);
  }

  /** `{ secret: VARIABLE }`. */
  variables(value: unknown, key: string): Profile["environmentCredentials"] {
    return Object.entries(this.record(value, [key])).flatMap(([secret, variable]) => {
      const path = [key, secret];
      if (!SECRET_NAME.test(secret)) {
        this.fault(
          path,
          "only names of secrets in Seawall's stores can be used here",
          "store it with: seawall secret set NAME",
          true,
        );
        return [];
      }
      const name = this.checked(variable, path, isVariable, "the name of a variable");
      return name === undefined ? [] : [this.entry({ secret, variable: name }, path)];
    });
  }

  settings(value: unknown): Profile["environment"]["set"] {
    return Object.entries(this.record(value, ["environment", "set"])).flatMap(([name, text]) => {
      const path = ["environment", "set", name];
      if (!isVariable(name)) this.fault(path, "this is no variable's name", undefined, true);
      const set = this.checked(text, path, isPlainText, "text");
      return set === undefined ? [] : [this.entry({ name, value: set }, path)];
    });
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isPlainText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && /^[/~$]/.test(value) && !value.includes("\0");
}

function isCommand(value: unknown): value is string {
  return isPath(value) || (typeof value === "string" && /^[\w.+[-][\w.+-]*$/.test(value));
}

function isVariablePattern(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z_]\w*\*?$/.test(value);
}

function isProfileName(value: unknown): value is string {
  return typeof value === "string" && PROFILE_NAME.test(value);
}

function isSecretName(value: unknown): value is string {
  return typeof value === "string" && SECRET_NAME.test(value);
}

function isAccess(value: unknown): value is "none" | "read" | "write" | "readwrite" {
  return value === "none" || value === "read" || value === "write" || value === "readwrite";
}
