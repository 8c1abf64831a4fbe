import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/index.ts";
import { hasToolWalls, TOOLS } from "../openclaw/index.ts";
import {
  compileNested,
  programFiles,
  WallError,
  type HostCapabilities,
  type Mount,
} from "../wall/index.ts";
import { systemFiles, type BotWallInput } from "./botWall.ts";
import { INSIDE } from "./inside.ts";

/** Of the commands, and of the file tools. The bot sees them beside the plugin that uses them. */
export const TOOL_POLICIES = ["tools.policy", "files.policy"] as const;
/** The one that is there whenever an agent's tools can have a wall. */
export const FILES_POLICY = "files.policy";

/**
 * What an agent's tools may do within the bot's wall: the bot's commands, and what they are linked with, in the
 * agent's own workspace. Neither client commands nor anything else of the bot's. The file tools are a
 * program of ours on Node, which the commands can't start.
 *
 * @throws WallError where this kernel can't enforce it.
 */
export function toolPolicies(
  input: BotWallInput,
  capabilities: HostCapabilities,
): Readonly<Record<(typeof TOOL_POLICIES)[number], Uint8Array | undefined>> {
  const { bot, programs, inside = INSIDE } = input;
  const environment = { LANG: "C.UTF-8", PATH: inside.commands, TZ: "UTC" };
  const files = (paths: readonly string[]) => input.files ?? programFiles(paths);
  const shell = { name: "sh", path: programs.shell };
  const commands = [...bot.commands.filter(({ name }) => name !== "sh"), shell];
  const used = files(commands.map(({ path }) => path));
  const places = commands.map(({ name }) => `${inside.commands}/${name}`);
  const read = (to: string): Mount => ({ kind: "read", from: to, to });
  const names = systemFiles("", inside).flatMap(([path]) => (path === inside.caBundle ? [] : path));
  const helper = join(inside.config, TOOLS, "files.mjs");
  const node = files([programs.node]);
  return {
    "tools.policy":
      bot.commands.length === 0
        ? undefined
        : compileNested(
            {
              command: [`${inside.commands}/sh`, "-c", 'eval "$SEAWALL_SCRIPT"'],
              environment,
              pass: ["SEAWALL_SCRIPT"],
              mounts: [...used.mounts, ...[...places, ...names].map(read)],
              execute: [...places, ...used.execute],
            },
            capabilities,
          ),
    "files.policy": compileNested(
      {
        command: [inside.node, "--no-warnings", helper],
        environment,
        pass: ["SEAWALL_JOB"],
        mounts: [...node.mounts, ...[inside.node, helper, ...names].map(read)],
        execute: [],
      },
      capabilities,
    ),
  };
}

/**
 * Puts them where the bot's wall takes them from, or takes away what was there: where a tool's wall can't be
 * enforced, it doesn't start.
 *
 * @returns the names of those that are there
 * @throws a file system's error
 */
export function putToolPolicies(
  folder: string,
  input: BotWallInput,
  capabilities: HostCapabilities,
): readonly string[] {
  const policies = new Map(enforceablePolicies(input, capabilities));
  for (const name of TOOL_POLICIES) {
    const policy = policies.get(name);
    if (policy === undefined) rmSync(join(folder, name), { force: true });
    else {
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      // Whatever the umask: bots with uids of their own read it, by a mount.
      chmodSync(folder, 0o711);
      writeFileAtomic(join(folder, name), Buffer.from(policy), 0o644);
    }
  }
  return [...policies.keys()];
}

/** Those of a bot that has agents, by name; none where this kernel can't enforce them. */
export function enforceablePolicies(
  input: BotWallInput,
  capabilities: HostCapabilities,
): readonly (readonly [name: string, policy: Uint8Array])[] {
  const within = input.bot.shared !== true && hasToolWalls(input.plan, input.inside ?? INSIDE);
  if (!within) return [];
  try {
    const policies = toolPolicies(input, capabilities);
    return TOOL_POLICIES.flatMap((name) => {
      const policy = policies[name];
      return policy === undefined ? [] : [[name, policy] as const];
    });
  } catch (error) {
    if (error instanceof WallError) return [];
    throw error;
  }
}
