import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lockedPackages } from "./lockedPackages.ts";
import type { Platform } from "./Pin.ts";
import { reproducibleFlags, runNpm } from "./runNpm.ts";

const POLL_MILLISECONDS = 300;
const LIFECYCLE_NOTE = "openclaw/.openclaw-lifecycle-pending";

/**
 * Installs the project in `pin` (package.json and package-lock.json) for one kind of machine.
 *
 * @param folder an existing, empty folder on the file system the tree is to end up on; afterwards
 * `<folder>/root` holds `node_modules` and nothing else.
 * @param onPackages told how many of the lock's packages have begun to be unpacked. npm says
 * nothing while it works, so this looks for each package's own package.json.
 * @returns the path of the tree.
 * @throws OpenClawError as {@link runNpm} and {@link lockedPackages} do.
 */
export async function installTree(
  pin: string,
  platform: Platform,
  folder: string,
  onPackages: (done: number, total: number) => void = () => undefined,
): Promise<string> {
  const project = join(folder, "project");
  const root = join(folder, "root");
  const missing = new Set(lockedPackages(pin, platform).map(({ path }) => path));
  const total = missing.size;
  mkdirSync(project);
  mkdirSync(root);
  for (const file of ["package.json", "package-lock.json"]) {
    copyFileSync(join(pin, file), join(project, file));
  }
  onPackages(0, total);
  const timer = setInterval(() => {
    for (const path of missing) {
      if (existsSync(join(project, path, "package.json"))) missing.delete(path);
    }
    onPackages(total - missing.size, total);
  }, POLL_MILLISECONDS);
  try {
    await runNpm(["ci", ...reproducibleFlags(platform)], project);
  } finally {
    clearInterval(timer);
  }
  const modules = join(project, "node_modules");
  // npm's note to itself: holds the project's name and the registry's address.
  rmSync(join(modules, ".package-lock.json"), { force: true });
  // OpenClaw's note that its install scripts have not run. It would run them at its first start and
  // remove the note, which it can't do to a read-only tree; all they change is the note (measured).
  rmSync(join(modules, LIFECYCLE_NOTE), { force: true });
  renameSync(modules, join(root, "node_modules"));
  onPackages(total - missingPackages(pin, platform, root).length, total);
  return root;
}

/**
 * Packages of the lock that the tree lacks. npm skips an optional package in silence when it can't
 * be had, or when the Node that runs npm doesn't suit the package's `engines`.
 */
export function missingPackages(pin: string, platform: Platform, root: string): string[] {
  return lockedPackages(pin, platform)
    .map(({ path }) => path)
    .filter((path) => !existsSync(join(root, path, "package.json")))
    .map((path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
}
