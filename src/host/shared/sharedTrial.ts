import { lchownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readPin, renderConfig } from "../../openclaw/index.ts";
import type { BotWallInput } from "../botWall.ts";
import type { WallSpec } from "../../wall/index.ts";
import { makeLocks, writeTold } from "./sharedFiles.ts";
import { sharedFolders, sharedInside } from "./sharedInside.ts";
import { sharedWall } from "./sharedWall.ts";

/**
 * The wall of a bot that has no namespaces of its own, with all its folders in one that can be thrown away, and
 * nothing to reach.
 *
 * @param uid whom it will run as, when this runs as root.
 */
export function sharedTrial(
  folder: string,
  { plan, bot, programs, ...input }: BotWallInput,
  uid: number | undefined,
): WallSpec {
  const paths = { bots: join(folder, "bots"), told: join(folder, "told") };
  const folders = sharedFolders(paths, { plan, programs, bot });
  const inside = sharedInside(folders, { programs, bot });
  const rendered = renderConfig(plan, inside, readPin(plan.openclaw.version));
  mkdirSync(paths.bots, { mode: 0o755 });
  mkdirSync(folders.home, { mode: 0o700 });
  if (uid !== undefined) lchownSync(folders.home, uid, uid);
  const told = { ...bot, rendered };
  const cas = writeTold(folders, { inside, bot: told, programs, trust: input.trust, uid });
  const { temporary } = folders;
  const locks = makeLocks(uid);
  return sharedWall({
    ...input,
    plan,
    bot: told,
    programs,
    inside,
    temporary,
    cas,
    locks,
    ports: undefined,
  });
}
