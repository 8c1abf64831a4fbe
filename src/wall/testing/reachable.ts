import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
/** Fixtures started by a test use the folder it made. */
const VARIABLE = "SEAWALL_TEST_PROGRAMS";

/** Node and the launcher in a folder that every user can reach; the project may lie in a private one. */
const folder = process.env[VARIABLE] ?? makeFolder();
export const NODE = join(folder, "node");
export const LAUNCHER = join(folder, "seawall-launch");

function makeFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "seawall-programs-"));
  process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  const launcher = join(PROJECT, "build/seawall-launch");
  if (!existsSync(launcher)) execFileSync("make", ["-C", join(PROJECT, "native")]);
  for (const [from, to] of [
    [process.execPath, "node"],
    [launcher, "seawall-launch"],
  ] as const) {
    try {
      linkSync(from, join(made, to));
    } catch {
      copyFileSync(from, join(made, to));
    }
  }
  chmodSync(made, 0o755);
  process.env[VARIABLE] = made;
  return made;
}
