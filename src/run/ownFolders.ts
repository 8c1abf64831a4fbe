import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  describeOrigin,
  isBelow,
  type Exception,
  type Origin,
  type Policy,
} from "../profiles/index.ts";
import { RunError } from "./RunError.ts";

/** Where Seawall keeps what it needs, wherever that is (src/paths/statePaths.ts). */
export interface OwnFolders {
  readonly state: string;
  readonly store: string;
}

/** The same, and where the owner's profiles and declarations are. */
export interface AllOwn extends OwnFolders {
  readonly config: string;
}

/** Its sources, what was built of them, and the Node.js that runs it. */
const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/**
 * Refuses to let Seawall's own folders be written by name: whoever writes there decides what the next
 * call runs outside of any wall.
 *
 * @throws RunError `reserved-path`
 */
export function checkOwnFolders({ paths }: Policy, own: AllOwn): void {
  for (const { path, write, origin } of paths) {
    if (!write) continue;
    const real = realPath(path);
    const inside = all(own).find(({ folder }) => real === folder || isBelow(real, folder));
    if (inside === undefined) continue;
    throw new RunError("reserved-path", `"${path}" can't be written: ${inside.what} is there`, {
      where: describeOrigin(origin),
      hint: "grant it with --read, or work on a copy elsewhere",
    });
  }
}

/** What of Seawall's own folders a folder that was granted around them doesn't give. */
export function keptOfOwn({ paths, lifted }: Policy, own: AllOwn): Exception[] {
  return all(own).flatMap(({ folder, access, what }): Exception[] => {
    const around = paths.filter(({ path }) => isBelow(folder, realPath(path)));
    if (!around.some(({ write }) => write || access === "hidden")) return [];
    if (access === "hidden" && lifted.includes(folder)) return [];
    const origin: Origin = { kind: "always", what: `protected by default: ${what}` };
    return [{ path: folder, access, absent: "seal", origin }];
  });
}

function all({ state, store, config }: AllOwn) {
  return [
    { folder: realPath(PROJECT), access: "read-only", what: "Seawall itself" },
    { folder: realPath(store), access: "read-only", what: "the store of Seawall's programs" },
    { folder: realPath(config), access: "hidden", what: "Seawall's profiles and declarations" },
    { folder: realPath(state), access: "hidden", what: "Seawall's vault, authority and policies" },
  ] as const;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
