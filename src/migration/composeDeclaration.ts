import { catalogue, type ServiceEntry } from "../catalogue/index.ts";
import { checkShape, type Fault, type Path } from "../declaration/index.ts";
import { CHANNELS, checkSettings, latestPin, listPins, readPin } from "../openclaw/index.ts";
import { makePlan, type BotPlan } from "../plan/index.ts";
import { MigrationError } from "./MigrationError.ts";
import type { InstalledCredential, LeftOut } from "./openInstallation.ts";

/** A credential that goes into a store, and what it is for there. */
export interface Move {
  /** All the places where this value stands. */
  readonly places: readonly string[];
  /** Name of the secret. */
  readonly secret: string;
  readonly service: string;
  /** Whether the bot's grant uses it; another value for the same service is stored beside it. */
  readonly granted: boolean;
  readonly credential: InstalledCredential;
}

/** A declaration that gives the bot of an installation. */
export interface Composed {
  readonly declaration: object;
  readonly plan: BotPlan;
  readonly moves: readonly Move[];
  readonly left: readonly LeftOut[];
  /** Folders of the agents, as the installation names them, and where they go in the bot's own. */
  readonly workspaces: readonly { readonly from: string; readonly to: string }[];
}

type Json = Readonly<Record<string, unknown>>;

/** Other variables that OpenClaw takes the same credential from. */
const VARIABLES: Readonly<Record<string, string>> = {
  GOOGLE_API_KEY: "google-gemini",
  GITHUB_TOKEN: "github",
  GH_TOKEN: "github",
  HF_TOKEN: "huggingface",
};

/** https://docs.openclaw.ai/gateway/config-tools/tool-policy, without what starts programs or needs a screen. */
const PROFILES: Readonly<Record<string, readonly string[]>> = {
  full: ["group:fs", "group:openclaw"],
  coding: [
    "group:fs",
    "group:web",
    "group:sessions",
    "group:memory",
    "group:agents",
    "group:media",
  ],
  messaging: [
    "group:messaging",
    "sessions_list",
    "sessions_history",
    "sessions_send",
    "session_status",
  ],
  minimal: ["session_status"],
};
/** Where the bot's own folder lies inside its wall. */
const HOME = "/home/bot";
const TOOL = /^[a-z][a-z0-9_:-]{0,63}$/;
/** Of a channel's settings: what the grant says instead. */
const CHANNEL_KEYS = [
  "enabled",
  "botToken",
  "token",
  "appToken",
  "accessToken",
  "allowFrom",
  "dmPolicy",
  "baseUrl",
  "homeserver",
];
/** Written by OpenClaw for itself, or Seawall's to decide; not worth a word each. */
const SILENT = new Set(["meta", "wizard", "auth", "env", "gateway", "secrets", "update"]);

/**
 * Makes the declaration of a bot that has the model, channels, agents, tools and settings of an
 * installation, as far as Seawall lets a bot have them; the rest is told. Pure.
 *
 * @param names how a secret is to be called, by service and value: names may be taken already.
 * @throws MigrationError `no-model` when no credential for its model was found
 */
export function composeDeclaration(input: {
  readonly bot: string;
  readonly config: Json;
  readonly credentials: readonly InstalledCredential[];
  readonly sameValue: (a: InstalledCredential, b: InstalledCredential) => boolean;
  readonly nameFor: (service: string) => string;
  /** What stands for a secret under `secrets`. */
  readonly declare: (name: string) => object;
}): Composed {
  const { bot, config } = input;
  const left: LeftOut[] = [];
  const moves = planMoves(input, left).map((move, _, all) => withoutFirst(move, all));
  const granted = moves.filter((move) => move.granted);
  const services = new Set(granted.map(({ service }) => service));
  const model = modelOf(config);
  requireModel(model, granted);
  const { settings, workspaces } = settingsOf(config, left);
  const plugins = granted.flatMap(({ service }) => catalogue.get(service)?.plugin ?? []);
  const declared: Record<string, unknown> = {
    openclaw: latestPin(),
    model,
    grants: Object.fromEntries(
      granted.map(({ service, secret }) => [service, grantOf(service, secret, config, services)]),
    ),
    tools: { allow: toolsOf(config) },
    port: portOf(config),
    ...(plugins.length > 0 ? { plugins } : {}),
    settings,
  };
  const declaration = {
    seawall: 1,
    secrets: Object.fromEntries(moves.map(({ secret }) => [secret, input.declare(secret)])),
    bots: { [bot]: declared },
  };
  const plan = settle(bot, declaration, settings, left);
  if (Object.keys(settings).length === 0) delete declared["settings"];
  return { declaration, plan, moves, left, workspaces };
}

function planMoves(
  {
    credentials,
    sameValue,
    nameFor,
  }: Pick<Parameters<typeof composeDeclaration>[0], "credentials" | "sameValue" | "nameFor">,
  left: LeftOut[],
): Move[] {
  const moves: Move[] = [];
  for (const credential of credentials) {
    const entry = serviceFor(credential);
    if (typeof entry === "string") {
      left.push({
        place: credential.place,
        why: entry,
        hint: 'store it with: seawall secret set NAME, and declare the service under "services"',
      });
      continue;
    }
    const index = moves.findIndex((move) => sameValue(move.credential, credential));
    const same = moves[index];
    if (same !== undefined) {
      moves[index] = { ...same, places: [...same.places, credential.place] };
      continue;
    }
    moves.push({
      places: [credential.place],
      secret: nameFor(entry.name),
      service: entry.name,
      granted: !moves.some(({ service }) => service === entry.name),
      credential,
    });
  }
  return moves;
}

/** The service that a credential is for, or why there is none. */
function serviceFor({ purpose }: InstalledCredential): ServiceEntry | string {
  const entries = [...catalogue.values()];
  switch (purpose.kind) {
    case "provider": {
      const found = entries.find(
        ({ name, provider }) => provider === purpose.name || name === purpose.name,
      );
      return found ?? `the catalogue has no service for the provider "${shown(purpose.name)}"`;
    }
    case "variable": {
      const known = Object.hasOwn(VARIABLES, purpose.name) ? VARIABLES[purpose.name] : undefined;
      const found = entries.find(
        ({ name, variable }) => variable === purpose.name || name === known,
      );
      return found ?? `the catalogue has no service for the variable "${shown(purpose.name)}"`;
    }
    case "channel": {
      const found = entries.find(({ channel }) => channel === purpose.name);
      if (found === undefined || !CHANNELS.includes(purpose.name))
        return `Seawall can't set up the channel "${shown(purpose.name)}" yet`;
      if (["accessToken", "botToken", "token"].includes(purpose.field)) return found;
      const second =
        purpose.field === "appToken" ? catalogue.get(found.channelNeeds ?? "") : undefined;
      return second ?? `nothing tells what "${shown(purpose.field)}" of a channel is for`;
    }
    case "plugin":
      return catalogue.get(purpose.name) ?? `the catalogue has no service "${shown(purpose.name)}"`;
    case "setting":
      return "nothing tells what it is for";
    default:
      return purpose satisfies never;
  }
}

/** A name of the installation's, which could be anything. */
function shown(name: string): string {
  return /^[\w.-]{1,40}$/.test(name) ? name : "…";
}

/** The second token of a channel is granted with the first one only. */
function withoutFirst(move: Move, all: readonly Move[]): Move {
  const first = [...catalogue.values()].find(({ channelNeeds }) => channelNeeds === move.service);
  const there = first === undefined || all.some(({ service }) => service === first.name);
  return there ? move : { ...move, granted: false };
}

function grantOf(
  service: string,
  secret: string,
  config: Json,
  services: ReadonlySet<string>,
): object {
  const { channel, channelNeeds } = catalogue.get(service) ?? {};
  if (channel === undefined || (channelNeeds !== undefined && !services.has(channelNeeds)))
    return { secret };
  const settings = at(config, "channels", channel);
  const allowFrom = [
    ...list(at(settings, "allowFrom")),
    ...list(at(settings, "dm", "allowFrom")),
  ].filter(
    (sender) =>
      typeof sender === "number" ||
      (typeof sender === "string" && /^[A-Za-z0-9@._:=/+-]{1,255}$/.test(sender)),
  );
  const url = at(settings, "baseUrl") ?? at(settings, "homeserver");
  return {
    secret,
    ...(typeof url === "string" ? { url: url.replace(/\/+$/, "") } : {}),
    ...(allowFrom.length > 0 ? { allowFrom } : {}),
  };
}

function modelOf(config: Json): string {
  const model = at(config, "agents", "defaults", "model");
  const primary = typeof model === "string" ? model : at(model, "primary");
  if (typeof primary === "string" && /^[a-z0-9-]{1,40}\/[A-Za-z0-9._:/-]{1,120}$/.test(primary))
    return primary;
  throw new MigrationError("no-model", "the installation doesn't say which model it thinks with", {
    hint: "set one first: openclaw models set provider/model",
  });
}

function requireModel(model: string, granted: readonly Move[]): void {
  const provider = model.split("/", 1).join("");
  if (granted.some(({ service }) => catalogue.get(service)?.provider === provider)) return;
  throw new MigrationError("no-model", `no credential was found for the model "${model}"`, {
    hint: `choose a model of another provider first, or give OpenClaw a key for "${provider}"`,
  });
}

function portOf(config: Json): number {
  const port = at(config, "gateway", "port");
  return typeof port === "number" && port >= 1024 && port <= 65535 ? port : 18789;
}

function toolsOf(config: Json): string[] {
  const tools = at(config, "tools");
  const allow = list(at(tools, "allow"));
  const profile = at(tools, "profile");
  const known =
    typeof profile === "string" && Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
  const named = [
    ...(allow.length > 0 ? allow : (known ?? PROFILES["full"] ?? [])),
    ...list(at(tools, "alsoAllow")),
  ];
  // Programs are named under "exec", one by one.
  const programs = new Set(["exec", "process", "bash", "group:runtime"]);
  const usable = named.filter(
    (name): name is string => typeof name === "string" && TOOL.test(name) && !programs.has(name),
  );
  return [...new Set(usable)];
}

/** Everything that a declaration's `settings` might take, with the agents' folders where they will be. */
function settingsOf(
  config: Json,
  left: LeftOut[],
): { settings: Record<string, unknown>; workspaces: Composed["workspaces"] } {
  const settings = structuredClone(config) as Record<string, unknown>;
  const http = at(config, "gateway", "http", "endpoints", "chatCompletions");
  for (const name of SILENT) delete settings[name];
  if (http !== undefined) settings["gateway"] = { http: { endpoints: { chatCompletions: http } } };
  if (Object.keys(object(at(config, "tools"))).some((key) => key === "exec" || key === "elevated"))
    left.push({
      place: "tools.exec",
      why: "commands aren't taken over",
      hint: 'name those it needs under the bot\'s "exec"',
    });
  const tools = object(settings["tools"]);
  for (const key of ["profile", "allow", "alsoAllow", "exec", "elevated"]) delete tools[key];
  const installable = new Set(readPin(latestPin()).autoInstalls.map(({ id }) => id));
  const plugins = object(at(settings, "plugins", "entries"));
  for (const id of Object.keys(plugins)) {
    if (!installable.has(id) && at(plugins, id, "enabled") !== undefined) continue;
    if (installable.has(id))
      left.push({
        place: `plugins.entries.${id}`,
        why: "OpenClaw would fetch it at each start",
        hint: 'name it under the bot\'s "plugins" if it is a channel',
      });
    delete plugins[id];
  }
  const workspaces: { from: string; to: string }[] = [];
  const main =
    at(config, "agents", "entries", "main", "workspace") ??
    at(config, "agents", "defaults", "workspace");
  if (typeof main === "string") workspaces.push({ from: main, to: "workspace" });
  for (const [id, entry] of Object.entries(object(at(settings, "agents", "entries")))) {
    const own = object(entry);
    if (id !== "main" && /^[a-z0-9-]{1,40}$/.test(id) && typeof own["workspace"] === "string") {
      workspaces.push({ from: own["workspace"], to: `workspaces/${id}` });
      own["workspace"] = `${HOME}/workspaces/${id}`;
    }
    if (id === "main") delete own["workspace"];
    delete own["agentDir"];
  }
  const defaults = object(at(settings, "agents", "defaults"));
  delete defaults["workspace"];
  const model = at(defaults, "model");
  if (typeof model === "string" || Object.keys(object(model)).join() === "primary")
    delete defaults["model"];
  for (const channel of Object.values(object(settings["channels"]))) {
    // Seawall's own to set, from the grant.
    for (const key of CHANNEL_KEYS) delete object(channel)[key];
    for (const key of ["policy", "allowFrom"]) delete object(at(channel, "dm"))[key];
  }
  return { settings, workspaces };
}

/** Takes out of the settings, one after the other, what a declaration can't have. */
function settle(
  bot: string,
  declaration: object,
  settings: Record<string, unknown>,
  left: LeftOut[],
): BotPlan {
  const base = ["bots", bot, "settings"];
  for (let turn = 0; turn < 1000; turn++) {
    const { plan, faults } = judge(declaration, bot);
    if (faults.length === 0 && plan !== undefined) {
      prune(settings);
      return plan;
    }
    for (const { path, message, hint } of faults) {
      const inside = base.every((step, index) => path[index] === step);
      if (!inside || path.length <= base.length) {
        const details = hint === undefined ? {} : { hint };
        throw new MigrationError("failed", `the declaration would be wrong: ${message}`, details);
      }
      const at = path.slice(base.length);
      if (!remove(settings, at)) continue;
      left.push({
        place: `setting ${at.join(".")}`,
        why: message,
        ...(hint === undefined ? {} : { hint }),
      });
      // Places in a list are others once an item is gone, so all is judged anew.
      break;
    }
  }
  throw new MigrationError("failed", "no declaration can be made of this installation");
}

function judge(declaration: object, bot: string): { plan?: BotPlan; faults: readonly Fault[] } {
  const { declaration: shaped, faults } = checkShape(declaration);
  if (shaped === undefined) return { faults };
  const made = makePlan(shaped, { catalogue, versions: listPins() });
  const plan = made.plan?.bots.find(({ name }) => name === bot);
  if (plan === undefined || made.faults.length > 0) return { faults: made.faults };
  const settings = checkSettings(plan).map(({ path, message, hint }): Fault => ({
    code: "loosens-wall",
    path: ["bots", bot, "settings", ...path],
    message,
    ...(hint === undefined ? {} : { hint }),
  }));
  return { plan, faults: settings };
}

function remove(from: Record<string, unknown>, path: Path): boolean {
  let parent: unknown = from;
  for (const step of path.slice(0, -1)) parent = child(parent, step);
  const last = path.at(-1);
  if (typeof parent !== "object" || parent === null || last === undefined) return false;
  if (Array.isArray(parent)) return parent.splice(Number(last), 1).length > 0;
  return Object.hasOwn(parent, last) && delete (parent as Record<string, unknown>)[last];
}

/** Takes out objects that have nothing left in them. */
function prune(value: Record<string, unknown>): void {
  for (const [key, child] of Object.entries(value)) {
    if (typeof child !== "object" || child === null || Array.isArray(child)) continue;
    prune(child as Record<string, unknown>);
    // An agent of whom nothing else is said is still an agent.
    if (Object.keys(child).length === 0 && key !== "main") delete value[key];
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(child, value);
}

function child(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<string | number, unknown>)[step];
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
