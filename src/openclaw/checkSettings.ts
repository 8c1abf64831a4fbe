import type { BotPlan, Json, JsonObject } from "../plan/index.ts";
import { isObject, own } from "./mergeSettings.ts";
import { ownedSettings } from "./ownedSettings.ts";
import { SETTING_RULES, type SettingRule } from "./settingRules.ts";

export interface SettingFault {
  /** Relative to the bot's `settings`. */
  readonly path: readonly string[];
  readonly code:
    /** Seawall decides it, and otherwise. */
    | "owned"
    /** Not among the settings that may be set freely. */
    | "not-free"
    /** A channel that the bot has no grant for. */
    | "no-grant"
    /** A credential, or what looks like one. */
    | "secret"
    /** Reads another file, runs a command for a value, or isn't an ordinary key. */
    | "indirect";
  readonly message: string;
  readonly hint?: string;
}

/** `**` refuses what lies below it, too; the fault points at where it begins. */
interface CompiledRule extends SettingRule {
  readonly keys: readonly string[];
  readonly deep: boolean;
}

const RULES: readonly CompiledRule[] = SETTING_RULES.map((rule) => {
  const deep = rule.path.endsWith(".**");
  return { ...rule, deep, keys: (deep ? rule.path.slice(0, -3) : rule.path).split(".") };
});

/**
 * Says which of a bot's free-form settings can't be accepted, because they would loosen what the
 * wall, the ingress or the declaration's own fields depend on. A setting that equals what Seawall
 * sets anyway is fine. Never repeats a value: it may be a credential.
 *
 * @returns faults sorted by path, each path once.
 */
export function checkSettings(bot: BotPlan): SettingFault[] {
  const { settings, channels } = bot.openclaw;
  const faults = new Map<string, SettingFault>();
  const granted = new Set(channels.map(({ channel }) => channel));
  // Paths inside aren't known here, and are no business of the declaration.
  for (const fault of visit(
    settings,
    ownedSettings(bot, { workspace: "", config: "" }),
    [],
    granted,
  )) {
    const key = JSON.stringify(fault.path);
    if (!faults.has(key)) faults.set(key, fault);
  }
  return [...faults].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, fault]) => fault);
}

function* visit(
  value: Json,
  owned: Json | undefined,
  path: readonly string[],
  granted: ReadonlySet<string>,
): Generator<SettingFault> {
  const secret = secretFault(value, path);
  if (secret !== undefined) {
    yield secret;
    return;
  }
  if (owned !== undefined && !(isObject(owned) && isObject(value))) {
    if (!equal(owned, value)) yield ownedFault(path);
    return;
  }
  const children = childrenOf(value);
  if (children === undefined || children.length === 0) {
    if (path.length > 0) yield* ruleFault(path, granted);
    return;
  }
  const indirect = isObject(value) ? indirectFault(value, path) : undefined;
  if (indirect !== undefined) {
    yield indirect;
    return;
  }
  for (const [key, child] of children) {
    yield* visit(child, isObject(owned) ? own(owned, key) : undefined, [...path, key], granted);
  }
}

function childrenOf(value: Json): [string, Json][] | undefined {
  return typeof value === "object" && value !== null ? Object.entries(value) : undefined;
}

function ownedFault(path: readonly string[]): SettingFault {
  const { hint } = RULES.find((rule) => !rule.allow && matches(rule, path)) ?? {};
  return {
    path,
    code: "owned",
    message: `setting "${path.join(".")}" is decided by Seawall`,
    hint: hint ?? "leave it out",
  };
}

function* ruleFault(
  path: readonly string[],
  granted: ReadonlySet<string>,
): Generator<SettingFault> {
  const [section, name] = path;
  if (section === "channels" && name !== undefined && !granted.has(name)) {
    yield {
      path: path.slice(0, 2),
      code: "no-grant",
      message: `channel "${name}" is set up, but not granted`,
      hint: `grant the bot "${name}"`,
    };
    return;
  }
  const rule = RULES.find((candidate) => matches(candidate, path));
  if (rule?.allow === true) return;
  const at = rule === undefined ? path.slice(0, 1) : path.slice(0, rule.keys.length);
  yield {
    path: at,
    code: "not-free",
    message: `setting "${at.join(".")}" can't be set freely`,
    hint: rule?.hint ?? "it isn't known to leave the wall as it is; leave it out",
  };
}

function matches({ keys, deep }: CompiledRule, path: readonly string[]): boolean {
  if (deep ? path.length < keys.length : path.length !== keys.length) return false;
  return keys.every((key, index) => key === "*" || key === path[index]);
}

/** Keys that make OpenClaw read, run or become something else than what stands there. */
function indirectFault(value: JsonObject, path: readonly string[]): SettingFault | undefined {
  const fault = (key: string, message: string, hint: string): SettingFault => ({
    path: [...path, key],
    code: "indirect",
    message,
    hint,
  });
  for (const key of Object.keys(value)) {
    if (key === "$include") {
      return fault(key, "settings can't include another file", "write the settings out");
    }
    if (["__proto__", "constructor", "prototype"].includes(key)) {
      return fault(key, `"${key}" is not a setting`, "leave it out");
    }
  }
  const source = own(value, "source");
  if (
    (source === "exec" || source === "file" || source === "store") &&
    own(value, "provider") !== undefined
  ) {
    return fault(
      "source",
      `a secret can't come from "${source}" inside the wall`,
      "grant the bot the service",
    );
  }
  const runtime = own(value, "agentRuntime");
  if (isObject(runtime) && own(runtime, "id") !== "openclaw") {
    return fault("agentRuntime", "another agent runtime is another program", "leave it out");
  }
  return undefined;
}

const SECRET_KEY =
  /(?:token|api[-_]?key|secret|passw(?:or)?d|credentials?|private[-_]?key|client[-_]?key)$/i;
const SECRET_HEADER = /^(?:authorization|proxy-authorization|cookie|x-api-key|x-goog-api-key)$/i;
/** Shapes of well-known credentials, wherever they stand. */
const SECRET_SHAPE =
  /(?:^|[^A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16}|AIza[A-Za-z0-9_-]{20}|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|xox[abposr]-|xapp-|\d{6,12}:[A-Za-z0-9_-]{30}|-----BEGIN [A-Z ]*PRIVATE KEY|AGE-SECRET-KEY-|eyJ[A-Za-z0-9_-]{20})/;
/** OpenClaw puts the variable's value in its place; inside the wall that is a phantom. */
const VARIABLE = /^\$\{[A-Z][A-Z0-9_]*\}$/;

function secretFault(value: Json, path: readonly string[]): SettingFault | undefined {
  if (typeof value !== "string" || value === "" || VARIABLE.test(value)) return undefined;
  const key = path.at(-1) ?? "";
  if (!SECRET_KEY.test(key) && !SECRET_HEADER.test(key) && !SECRET_SHAPE.test(value))
    return undefined;
  return {
    path,
    code: "secret",
    message: `setting "${path.join(".")}" looks like a credential`,
    hint: "store it with: seawall secret set NAME, and grant the bot the service",
  };
}

function equal(a: Json, b: Json): boolean {
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => {
        const other = own(b, key);
        return other !== undefined && equal(a[key] ?? null, other);
      })
    );
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Json, index) => equal(item, b[index] as Json));
  }
  return a === b;
}
