import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { compareVersions } from "./compareVersions.ts";
import { installTree, missingPackages } from "./installTree.ts";
import { narHash } from "./nar.ts";
import { OpenClawError } from "./OpenClawError.ts";
import {
  isVersion,
  PINS,
  PLATFORMS,
  readPin,
  type OpenClawPin,
  type PinFile,
  type Platform,
} from "./Pin.ts";
import { readCatalogue, type CataloguePlugin } from "./pluginCatalogue.ts";
import { removeTree } from "./removeTree.ts";
import { replacePin } from "./replacePin.ts";
import { QUIET, runNpm } from "./runNpm.ts";

export interface MakePinOptions {
  /** Told in a few words what is going on. */
  readonly onProgress?: (text: string) => void;
  /** Where pins are kept, by default those of Seawall itself. */
  readonly pins?: string;
  /** Kinds of machine it gets a hash for, all by default; the first one's tree is looked into. */
  readonly platforms?: readonly [Platform, ...Platform[]];
  /** Another package than `openclaw`; for tests. */
  readonly name?: string;
}

/**
 * Pins a version of OpenClaw: resolves its dependencies once, installs the lock for every kind of
 * machine in temporary folders without running anything of it, and writes
 * `pins/openclaw/<version>/` with the lock, the hash of each tree, and what OpenClaw says about
 * Node and its plugins. A pin that is already there is replaced, at once or not at all.
 *
 * @throws OpenClawError `unknown-version`, `registry`, `npm-missing`, `npm-failed`, `disk-full`.
 */
export async function makePin(version: string, options: MakePinOptions = {}): Promise<OpenClawPin> {
  const name = options.name ?? "openclaw";
  const pins = options.pins ?? PINS;
  const platforms = options.platforms ?? PLATFORMS;
  const say = options.onProgress ?? (() => undefined);
  if (!isVersion(version)) {
    throw new OpenClawError("unknown-version", `"${version}" is not a version`, {
      hint: "give an exact version such as 2026.9.6",
    });
  }
  const work = mkdtempSync(join(tmpdir(), "seawall-pin-"));
  try {
    const folder = join(work, "pin");
    mkdirSync(folder);
    say(`looking for ${name} ${version}`);
    await writeLock(folder, name, version);
    const trees = new Map<Platform, string>();
    const narHashes: Partial<Record<Platform, string>> = {};
    const sizes: Partial<Record<Platform, number>> = {};
    for (const platform of platforms) {
      const temporary = join(work, platform);
      mkdirSync(temporary);
      const tree = await installTree(folder, platform, temporary, (done, total) =>
        say(`installing for ${platform}: ${done} of ${total} packages`),
      );
      refuseIncomplete(folder, platform, tree);
      say(`hashing for ${platform}`);
      narHashes[platform] = await narHash(tree);
      sizes[platform] = treeSize(tree);
      trees.set(platform, tree);
    }
    const tree = join(trees.get(platforms[0]) ?? "", "node_modules", name);
    const manifest = readManifest(tree);
    const catalogue = readCatalogue(tree);
    const file: PinFile = {
      version,
      package: name,
      entry: `node_modules/${name}/${manifest.program}`,
      node: manifest.node,
      narHash: narHashes,
      size: sizes,
      plugins: await pinPlugins(catalogue, version, say),
      autoInstalls: catalogue
        .filter(({ variables }) => variables.length > 0)
        .map(({ id, variables }) => ({ id, variables: [...variables] })),
    };
    writeFileSync(join(folder, "pin.json"), `${JSON.stringify(file, null, 2)}\n`);
    replacePin(folder, join(pins, version), pins);
    return readPin(version, pins);
  } finally {
    removeTree(work);
  }
}

/**
 * Resolves dependencies into a lock. Kept are names, versions, integrity hashes, dependencies and
 * platforms; dropped are the download addresses, so that any registry will do, and `engines`,
 * because npm silently skips an optional package whose `engines` don't suit the Node that happens
 * to run npm (measured: npm under Node 20 leaves out @openclaw/fs-safe's native part).
 */
async function writeLock(folder: string, name: string, version: string): Promise<void> {
  const project = { name: "seawall-openclaw", private: true, dependencies: { [name]: version } };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(project, null, 2)}\n`);
  await runNpm(
    ["install", "--package-lock-only", "--ignore-scripts", "--package-lock=true", ...QUIET],
    folder,
  );
  const path = join(folder, "package-lock.json");
  const lock = Lock.parse(JSON.parse(readFileSync(path, "utf8")));
  for (const entry of Object.values(lock.packages)) {
    for (const key of ["resolved", "engines", "license", "funding", "deprecated"])
      delete entry[key];
  }
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}

const Lock = z.looseObject({ packages: z.record(z.string(), z.record(z.string(), z.unknown())) });

function refuseIncomplete(folder: string, platform: Platform, tree: string): void {
  const missing = missingPackages(folder, platform, tree);
  if (missing.length === 0) return;
  throw new OpenClawError(
    "registry",
    `npm left out ${missing.length} packages for ${platform}: ${missing.slice(0, 3).join(", ")}`,
    {
      hint: "try again later; npm 10 or later is needed",
    },
  );
}

const Manifest = z.looseObject({
  bin: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
  main: z.string().optional(),
  engines: z.looseObject({ node: z.string().optional() }).optional(),
});

function readManifest(tree: string): { readonly program: string; readonly node: string } {
  const { bin, main, engines } = Manifest.parse(
    JSON.parse(readFileSync(join(tree, "package.json"), "utf8")),
  );
  const program = typeof bin === "string" ? bin : (bin?.["openclaw"] ?? main ?? "index.js");
  return { program: program.replace(/^\.\//, ""), node: engines?.node ?? ">=0" };
}

/**
 * The latest released version of each channel plugin that is not later than OpenClaw's own: they
 * are released with OpenClaw under the same number, but not every one every time.
 */
async function pinPlugins(
  catalogue: readonly CataloguePlugin[],
  version: string,
  say: (text: string) => void,
): Promise<PinFile["plugins"]> {
  const plugins: PinFile["plugins"] = {};
  for (const { id, kind, npm } of catalogue) {
    if (kind !== "channel" || !npm.startsWith("@openclaw/")) continue;
    say(`looking for ${npm}`);
    const pinned = await latestPlugin(npm, version);
    if (pinned !== undefined) plugins[npm] = { id, ...pinned };
  }
  return plugins;
}

async function latestPlugin(
  npm: string,
  version: string,
): Promise<{ version: string; integrity: string } | undefined> {
  const cwd = tmpdir();
  try {
    const versions = Versions.parse(
      JSON.parse(await runNpm(["view", npm, "versions", "--json", ...QUIET], cwd)),
    );
    const latest = [versions]
      .flat()
      .filter(
        (candidate) =>
          /^\d+\.\d+\.\d+$/.test(candidate) && compareVersions(candidate, version) <= 0,
      )
      .toSorted(compareVersions)
      .at(-1);
    if (latest === undefined) return undefined;
    const integrity = await runNpm(["view", `${npm}@${latest}`, "dist.integrity", ...QUIET], cwd);
    return { version: latest, integrity: integrity.trim() };
  } catch (error) {
    // Listed in OpenClaw's catalogue, but not (or no longer) in the registry.
    if (error instanceof OpenClawError && error.code === "unknown-version") return undefined;
    throw error;
  }
}

const Versions = z.union([z.string(), z.array(z.string())]);

function treeSize(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}
