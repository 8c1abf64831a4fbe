import { chmodSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Takes away every permission to write below `folder` and gives everybody the right to read:
 * files 0444, or 0555 when their owner may execute them, folders 0555. The folder itself stays
 * 0755, because an ordinary user can't rename a folder that he may not write. Links are not followed.
 *
 * @throws TypeError for what is no folder: chmod(2) would follow a link and open what it leads to.
 */
export function makeReadOnly(folder: string): void {
  if (!lstatSync(folder).isDirectory()) throw new TypeError("this is no folder");
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      makeReadOnly(path);
      chmodSync(path, 0o555);
    } else if (entry.isFile()) {
      chmodSync(path, (lstatSync(path).mode & 0o100) === 0 ? 0o444 : 0o555);
    }
  }
}
