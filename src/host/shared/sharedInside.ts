import { createHash } from "node:crypto";
import { join } from "node:path";
import type { InsidePaths } from "../../openclaw/index.ts";
import type { StatePaths } from "../../paths/index.ts";
import type { BotPlan } from "../../plan/index.ts";
import type { FoundCommand } from "../findCommand.ts";
import type { BotGeneration, Programs } from "../Generation.ts";

/** Where the folders of one bot are. */
export interface SharedFolders {
  /** Written by the bot, kept. */
  readonly home: string;
  /** Read by the bot: configuration, CAs, links to its commands. */
  readonly told: string;
  /** Written by the bot: what elsewhere is a `/tmp` of its own. */
  readonly temporary: string;
}

/** What the configuration of a bot is rendered from. */
export interface SharedParts {
  readonly plan: BotPlan;
  readonly programs: Pick<Programs, "node">;
  readonly bot: Pick<BotGeneration, "openclaw" | "commands">;
}

/**
 * Another folder for whatever else is told: a bot's Landlock rules hold on to the files that there were when it
 * started, and one that is gone back to finds what it was told.
 */
export function sharedFolders(
  paths: Pick<StatePaths, "bots" | "told">,
  { plan, programs, bot }: SharedParts,
): SharedFolders {
  const parts = JSON.stringify([plan, programs.node, bot.openclaw.root, bot.commands]);
  const hash = createHash("sha256").update(parts).digest("hex").slice(0, 16);
  return {
    home: join(paths.bots, plan.name),
    told: join(paths.told, plan.name, hash),
    // No bot is called like this.
    temporary: join(paths.told, `${plan.name}.tmp`),
  };
}

/** `InsidePaths` of a bot that sees the host's own files, since nothing can be mounted for it. */
export function sharedInside(
  { home, told }: SharedFolders,
  { programs, bot: { openclaw, commands } }: Omit<SharedParts, "plan">,
): InsidePaths {
  return {
    node: programs.node,
    openclaw: openclaw.root,
    home,
    state: join(home, "state"),
    workspace: join(home, "workspace"),
    config: join(told, "config"),
    commands: join(told, "bin"),
    commandFiles: Object.fromEntries(commands.map(({ name, path }: FoundCommand) => [name, path])),
    clients: false,
    proxied: true,
    caBundle: join(told, "ca-certificates.crt"),
  };
}
