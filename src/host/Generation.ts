import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../plan/index.ts";
import type { RenderedOpenClaw } from "../openclaw/index.ts";
import { syncFolder, writeFileAtomic } from "../files/index.ts";
import type { FoundCommand } from "./findCommand.ts";
import { asDiskError, HostError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

/**
 * One deployment as it was applied: immutable, numbered, complete. It holds paths of this host and
 * rendered files, and no secret, phantom or token.
 */
export interface Generation {
  readonly number: number;
  /** ISO 8601. */
  readonly created: string;
  /** File the declaration was read from. */
  readonly declaration: string;
  readonly plan: Plan;
  readonly programs: Programs;
  readonly bots: Readonly<Record<string, BotGeneration>>;
  /** PEM text by secret, for the token endpoints that name a CA. */
  readonly mintCas?: Readonly<Record<string, string>>;
}

export interface Programs {
  readonly node: string;
  readonly launcher: string;
  /** npm and the registry it asks, for bots with plugins. */
  readonly npm?: { readonly folder: string; readonly registry: string };
  /** The system's Chromium and our program that drives it, for bots with a browser. */
  readonly browser?: { readonly chromium: string; readonly program: string };
  /** The system's, for bots whose agents may have containers. */
  readonly podman?: string;
  /** What the client commands are, for bots that have some; generations of older versions lack it. */
  readonly client?: string;
  /** For bots with commands: OpenClaw runs each through it. */
  readonly shell: string;
}

export interface BotGeneration {
  readonly openclaw: { readonly root: string; readonly entry: string };
  /** OpenClaw's files that may be mapped as code; generations of older versions lack them. */
  readonly natives?: readonly string[];
  readonly rendered: RenderedOpenClaw;
  readonly commands: readonly FoundCommand[];
  /** Id of the image of its agents' containers. */
  readonly image?: string;
  /** It was made for a host without user namespaces, which the bot concedes; src/host/shared. */
  readonly shared?: true;
  /** PEM text by grant, for the grants that name a CA. */
  readonly cas: Readonly<Record<string, string>>;
}

/** How many generations are kept behind the newest. */
const KEPT = 20;

/**
 * Writes a generation under the next free number. It appears whole or not at all: the folder is
 * made under another name and renamed. Nothing is put in force by this.
 *
 * @throws HostError `disk` when there is no room; nothing is left behind then.
 */
export function writeGeneration(
  paths: StatePaths,
  content: Omit<Generation, "number">,
): Generation {
  const numbers = listGenerations(paths);
  const generation: Generation = { number: (numbers.at(-1) ?? 0) + 1, ...content };
  const folder = join(paths.generations, String(generation.number));
  const temporary = `${folder}.tmp`;
  try {
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
    writeFileAtomic(join(temporary, "generation.json"), text(generation), 0o400);
    for (const [bot, { rendered }] of Object.entries(generation.bots)) {
      // For people to read; what runs is in generation.json.
      writeFileAtomic(join(temporary, `${bot}.openclaw.json`), rendered.config, 0o400);
    }
    renameSync(temporary, folder);
    syncFolder(paths.generations);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asDiskError(error, "the new generation");
  }
  return generation;
}

/** @throws HostError `damaged-state` when it isn't there or can't be read. */
export function readGeneration(paths: StatePaths, number: number): Generation {
  const file = join(paths.generations, String(number), "generation.json");
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Generation;
  } catch (cause) {
    throw new HostError("damaged-state", `generation ${number} can't be read`, {
      where: file,
      hint: "apply the declaration anew with: seawall up",
      cause,
    });
  }
}

/** Numbers of the generations there are, ascending. */
export function listGenerations(paths: StatePaths): number[] {
  let names: string[] = [];
  try {
    names = readdirSync(paths.generations);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return names
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** The generation in force, if any was ever applied. @throws HostError `no-access` */
export function currentGeneration(paths: StatePaths): number | undefined {
  try {
    const number = Number(readFileSync(paths.current, "utf8"));
    return Number.isSafeInteger(number) && number > 0 ? number : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw asDiskError(error, "the state folder");
    return undefined;
  }
}

/** Records that `number` is in force, and lets go of the oldest ones. */
export function setCurrentGeneration(paths: StatePaths, number: number): void {
  writeFileAtomic(paths.current, `${number}\n`, 0o600);
  for (const old of listGenerations(paths).filter((n) => n <= number - KEPT)) {
    rmSync(join(paths.generations, String(old)), { recursive: true, force: true });
  }
}

/** Forgets a generation that was never put in force. */
export function dropGeneration(paths: StatePaths, number: number): void {
  rmSync(join(paths.generations, String(number)), { recursive: true, force: true });
}
