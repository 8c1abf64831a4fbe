import { join } from "node:path";
import { SYSTEMD_PATHS, type SystemdPaths } from "../../targets/index.ts";
import type { StatePaths } from "../../paths/index.ts";

/** Where a deployment under systemd lies on this machine. */
export interface SystemPaths extends SystemdPaths {
  readonly root: string;
  readonly generations: string;
  /** The link that is switched: to `generations/N`. */
  readonly current: string;
  /** There while a switch is at work; says from and to. */
  readonly pending: string;
  readonly lock: string;
  /** Where systemd finds our units by links into `current`. */
  readonly units: string;
}

/** Everything stands on the root file system, since systemd reads units before /var is mounted. */
const ROOT = "/etc/seawall";

export function systemPaths(paths: StatePaths): SystemPaths {
  return {
    ...SYSTEMD_PATHS,
    state: join(paths.root, "system"),
    vault: { file: paths.vault.file, identity: paths.vault.identity },
    root: ROOT,
    generations: join(ROOT, "generations"),
    current: SYSTEMD_PATHS.generation,
    pending: join(ROOT, "pending"),
    lock: join(ROOT, "lock"),
    units: "/etc/systemd/system",
  };
}
