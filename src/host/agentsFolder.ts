import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/index.ts";
import type { StatePaths } from "../paths/index.ts";
import { hasSystemDeployment } from "./systemd/systemStatus.ts";
import { AGENTS_FILE } from "../openclaw/index.ts";
import { botFolder } from "../targets/index.ts";
import { systemPaths } from "./systemd/systemPaths.ts";
import { FILES_POLICY } from "./toolPolicies.ts";

/** The folder with `bots` and `agents`: under systemd what units keep has one of its own. */
export function agentsBase(paths: StatePaths): string {
  const system = process.getuid?.() === 0 && hasSystemDeployment(paths);
  return system ? join(paths.root, "system") : paths.root;
}

/** What a bot reads of its agents; Seawall writes it, and the bot can't. */
export function agentsFolder(base: string, bot: string): string {
  return join(base, "agents", bot, "live");
}

/** What walls its agents' tools have when `seawall up` starts it; under systemd the generation has that. */
export function policiesFolder(base: string, bot: string): string {
  return join(base, "agents", bot, "policies");
}

/** Whether the bot was started with what makes walls for its agents' tools. */
export function hasToolPolicies(paths: StatePaths, bot: string): boolean {
  const system = process.getuid?.() === 0 && hasSystemDeployment(paths);
  const folder = system
    ? join(systemPaths(paths).current, botFolder(bot))
    : policiesFolder(paths.root, bot);
  return existsSync(join(folder, FILES_POLICY));
}

/** Makes it, with no agents in it, where there is none: a gateway starts only with the file there. */
export function makeAgentsFolder(base: string, bot: string): string {
  const folder = agentsFolder(base, bot);
  mkdirSync(join(folder, "skills"), { recursive: true, mode: 0o755 });
  // Bots with uids of their own have to get there, whatever the umask.
  for (const path of [join(base, "agents"), join(base, "agents", bot)]) chmodSync(path, 0o711);
  for (const path of [folder, join(folder, "skills")]) chmodSync(path, 0o755);
  const file = join(folder, AGENTS_FILE);
  if (!existsSync(file)) writeFileAtomic(file, "{}\n", 0o644);
  return folder;
}
