import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../files/index.ts";
import { makeStateFolders } from "./applyGeneration.ts";
import { assignUsers } from "./botUsers.ts";
import { currentGeneration, readGeneration } from "./Generation.ts";
import { asDiskError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

/** Names in it that belong to programs or are caches, never to a bot. */
const LEFT_OUT = new Set(["node_modules", "auth-profiles.json", "auth.json"]);

/** The folder of a bot that has none yet, or will have. */
export function botHome(paths: StatePaths, bot: string): string {
  return join(paths.bots, bot);
}

/**
 * Gives a new bot its folder, filled with copies of others. It appears whole or not at all. Links are
 * copied as links; FIFOs, sockets and devices are left out.
 *
 * @param copies folders of this host, and where in the bot's folder they go.
 * @throws HostError `disk`
 */
export function fillBotHome(
  paths: StatePaths,
  bot: string,
  copies: readonly { readonly from: string; readonly to: string }[],
): void {
  const home = botHome(paths, bot);
  const temporary = `${home}.adopting`;
  try {
    makeStateFolders(paths);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o700 });
    for (const { from, to } of copies) {
      if (!existsSync(from) || !lstatSync(from).isDirectory()) continue;
      mkdirSync(dirname(join(temporary, to)), { recursive: true, mode: 0o700 });
      cpSync(from, join(temporary, to), {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
        filter: (path) => {
          const stats = lstatSync(path);
          const plain = stats.isFile() || stats.isDirectory() || stats.isSymbolicLink();
          return plain && !LEFT_OUT.has(path.slice(path.lastIndexOf("/") + 1));
        },
      });
    }
    if (process.getuid?.() === 0) {
      const uid = assignUsers(paths.users, [bot]).get(bot);
      if (uid !== undefined) giveAway(temporary, uid);
    }
    chmodSync(temporary, 0o700);
    renameSync(temporary, home);
    syncFolder(paths.bots);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw asDiskError(error, "the bot's folder");
  }
}

/** Takes a bot's folder away again, unless a deployment in force has the bot. */
export function dropBotHome(paths: StatePaths, bot: string): boolean {
  const number = currentGeneration(paths);
  const inForce = number !== undefined && Object.hasOwn(readGeneration(paths, number).bots, bot);
  if (inForce) return false;
  rmSync(botHome(paths, bot), { recursive: true, force: true });
  rmSync(`${botHome(paths, bot)}.adopting`, { recursive: true, force: true });
  return true;
}

function giveAway(path: string, uid: number): void {
  lchownSync(path, uid, uid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveAway(join(path, name), uid);
}
