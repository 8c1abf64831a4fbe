import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { TargetFile } from "../../targets/index.ts";
import { reloadManager, resetUnits, stopUnits } from "./systemctl.ts";

/** Units in here are gone with the next boot, whatever becomes of this process. */
const UNITS = "/run/systemd/system";

/** Writes a generation's files that are no generation of the deployment's. */
export function putFiles(generation: string, files: readonly TargetFile[]): void {
  for (const { path, mode, bytes } of files) {
    const file = join(generation, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, bytes, { mode });
  }
}

/**
 * Makes units known to systemd that lie in a folder of ours and are none of the deployment's.
 *
 * @param more lines of the section `Service`, by unit; these win.
 */
export async function addTemporaryUnits(
  generation: string,
  names: readonly string[],
  more: ReadonlyMap<string, string>,
): Promise<void> {
  mkdirSync(UNITS, { recursive: true });
  for (const name of names) {
    const unit = join(generation, "units", name);
    if (existsSync(unit)) symlinkSync(unit, join(UNITS, name));
  }
  for (const [name, lines] of more) {
    mkdirSync(join(UNITS, `${name}.d`));
    writeFileSync(join(UNITS, `${name}.d`, "copy.conf"), `[Service]\n${lines}`);
  }
  await reloadManager();
}

/** Stops them and makes systemd forget them. Also those that aren't there. */
export async function removeTemporaryUnits(names: readonly string[]): Promise<void> {
  await stopUnits(names);
  for (const name of names)
    for (const each of [name, `${name}.d`])
      rmSync(join(UNITS, each), { recursive: true, force: true });
  await reloadManager();
  await resetUnits(names);
}

/** Those that lie in a folder. */
export function temporaryUnitsOf(folder: string): string[] {
  if (!existsSync(UNITS)) return [];
  return readdirSync(UNITS, { withFileTypes: true }).flatMap((entry) =>
    entry.isSymbolicLink() && readlinkSync(join(UNITS, entry.name)).startsWith(`${folder}/`)
      ? [entry.name]
      : [],
  );
}
