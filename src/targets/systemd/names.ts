import { createHash } from "node:crypto";

/** Longest name that systemd gives a user (UT_NAMESIZE, systemd.exec(5) `User=`). */
const LONGEST_USER = 31;

/**
 * The units of one bot. Each begins with its role, so that no bot's name can make two of them one;
 * no role begins with another and a hyphen.
 */
export interface BotUnits {
  readonly network: string;
  /** The bot's own network's sockets. */
  readonly sockets: string;
  /** What visitors connect to. */
  readonly ingress: string;
  readonly control: string;
  readonly metrics: string;
  /** For bots with client commands. */
  readonly command: string;
  readonly broker: string;
  readonly gateway: string;
  /** Behind it something in the bot's network connects to the gateway. */
  readonly doorSocket: string;
  readonly door: string;
}

/** @param prefix what all of them begin with; another for a copy beside a deployment */
export function botUnits(bot: string, prefix = "seawall"): BotUnits {
  return {
    network: `${prefix}-network-${bot}.service`,
    sockets: `${prefix}-broker-${bot}.socket`,
    ingress: `${prefix}-ingress-${bot}.socket`,
    control: `${prefix}-control-${bot}.socket`,
    metrics: `${prefix}-metrics-${bot}.socket`,
    command: `${prefix}-command-${bot}.socket`,
    broker: `${prefix}-broker-${bot}.service`,
    gateway: `${prefix}-gateway-${bot}.service`,
    doorSocket: `${prefix}-door-${bot}.socket`,
    door: `${prefix}-door-${bot}.service`,
  };
}

/** The units of one bot's browser, and of the gate before it. */
export interface BrowserUnits {
  readonly network: string;
  /** The gate's listener in that network. */
  readonly proxy: string;
  /** By which the bot's broker asks the gate for pages. */
  readonly gateSocket: string;
  readonly gate: string;
  /** By which the gate has a browser started. */
  readonly browserSocket: string;
  /** A template: one for each connection to that socket, of which there is one at a time. */
  readonly browser: string;
}

export function browserUnits(bot: string, prefix = "seawall"): BrowserUnits {
  return {
    network: `${prefix}-browsernet-${bot}.service`,
    proxy: `${prefix}-proxy-${bot}.socket`,
    gateSocket: `${prefix}-gate-${bot}.socket`,
    gate: `${prefix}-gate-${bot}.service`,
    browserSocket: `${prefix}-browser-${bot}.socket`,
    browser: `${prefix}-browser-${bot}@.service`,
  };
}

/** Where a bot's /tmp is mounted, and the unit that mounts it, named by that (systemd.mount(5)). */
export function scratchPlace(
  runtime: string,
  bot: string,
): { readonly path: string; readonly unit: string } {
  // Everybody may write in it; who gets there is decided by the folder that it lies in.
  const path = `${runtime}/${bot}/scratch/tmp`;
  const escaped = path
    .slice(1)
    .replaceAll(/[^A-Za-z0-9:_./]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)
    .replaceAll("/", "-");
  return { path, unit: `${escaped}.mount` };
}

/** Every bot's units stand under these. */
export const TARGET_UNIT = "seawall.target";
export const SLICE_UNIT = "seawall.slice";
/** Caddy, where a bot has a domain. */
export const WEB_UNIT = "seawall-web.service";
/** Bots in the tailnet have one each. */
export function tailscaleUnit(bot: string): string {
  return `seawall-tailscale-${bot}.service`;
}
/** What bots write to each other, and the socket by which the broker of each gets there. */
export function bridgeUnits(prefix = "seawall"): {
  readonly service: string;
  readonly socket: (bot: string) => string;
} {
  return {
    service: `${prefix}-bridge.service`,
    socket: (bot) => `${prefix}-bridge-${bot}.socket`,
  };
}
/** When to look for a newer OpenClaw, who moves bots to it, and who fetches it. */
export const UPDATE_TIMER = "seawall-update.timer";
export const UPDATE_UNIT = "seawall-update.service";
export const FETCH_UNIT = "seawall-fetch.service";
/** When to synchronize agents, and who does. */
export const AGENTS_TIMER = "seawall-agents.timer";
export const AGENTS_UNIT = "seawall-agents.service";
/** What installs a bot's plugins, where nobody switches. */
export function installUnit(bot: string): string {
  return `seawall-install-${bot}.service`;
}
/** Never started by itself. */
export const FIREWALL_UNIT = "seawall-firewall.service";

/** The bot's own user. */
export function botUser(bot: string): string {
  return shorten(`seawall-${bot}`);
}

/** Its broker's. No bot's name has an underscore, so it is nobody's else. */
export function brokerUser(bot: string): string {
  return shorten(`seawall_${bot}`);
}

/** Of the gate before its browser, and of the browser. */
export function gateUser(bot: string): string {
  return shorten(`seawall_gate_${bot}`);
}

export function browserUser(bot: string): string {
  return shorten(`seawall_web_${bot}`);
}

/** The bridge's. No bot's name begins with an underscore. */
export const BRIDGE_USER = "seawall__bridge";

/** Where units find what only this machine knows. */
export function privateFolder(paths: {
  readonly generation: string;
  readonly private?: string;
}): string {
  return paths.private ?? `${paths.generation}/private`;
}

/** Where the generation has the files of one bot. */
export function botFolder(bot: string): string {
  return `bots/${bot}`;
}

/** A name that is too long ends in a hash of itself; an underscore keeps it from being another bot's. */
function shorten(name: string): string {
  if (name.length <= LONGEST_USER) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, LONGEST_USER - 9)}_${hash}`;
}
