import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PIN_FILES } from "./Pin.ts";
import { removeTree } from "./removeTree.ts";

/**
 * Puts a pin in the place of another: its files are copied beside the target first, since the temporary
 * folder may be on another file system.
 */
export function replacePin(from: string, to: string, parent: string): void {
  mkdirSync(parent, { recursive: true });
  const fresh = mkdtempSync(join(parent, ".new-"));
  try {
    for (const name of PIN_FILES) {
      writeFileSync(join(fresh, name), readFileSync(join(from, name)), { mode: 0o644 });
    }
    chmodSync(fresh, 0o755);
    removeTree(to);
    renameSync(fresh, to);
  } finally {
    removeTree(fresh);
  }
}
