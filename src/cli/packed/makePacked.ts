/**
 * Packs the command line for src/cli/start.cjs, which says how it is used: `./dev setup` runs
 *
 *   node src/cli/packed/makePacked.ts
 *
 * which does nothing when what is packed is what the sources say. There are two parts. `first` is what `seawall run` loads in any case; `rest` is everything else and
 * takes the modules of `first` from there, so that each module exists once. Beside each lies what V8 has
 * compiled of it, functions that the usual commands call included.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildOptions, OnResolveArgs, Plugin } from "esbuild";
import { writeFileAtomic } from "../../files/index.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const FOLDER = join(ROOT, "build/packed");
const ALONE = "src/cli/run/runAlone.ts";
const COMMAND_LINE = "src/cli/runCommandLine.ts";
/** What the result depends on besides what is in it. */
const MAKING = [
  "src/cli/start.cjs",
  "src/cli/packed/makePacked.ts",
  "tsconfig.json",
  "package-lock.json",
];
const NAMES = ["first", "rest"] as const;

async function main(): Promise<void> {
  const { isPacked } = createRequire(import.meta.url)("../start.cjs") as {
    isPacked: () => boolean;
  };
  if (isPacked()) return;
  mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
  const lazy = new Set<string>();
  const inFirst = ourFiles(
    await inputsOf({ ...entry([ALONE]), plugins: [ownPlaces(), outside(lazy)] }),
  );
  const wall = ourFiles(
    await inputsOf({ ...entry(["src/wall/index.ts"]), plugins: [ownPlaces()] }),
  );
  // What the sources of the wall are, instead of looking at each anew; see wallFingerprint.
  const define = { PACKED_WALL: JSON.stringify(contentOf(wall)) };
  lazy.clear();
  await pack("first", wall, {
    ...entry(inFirst),
    define,
    plugins: [ownPlaces(), outside(lazy)],
  });
  await pack("rest", [], {
    ...entry([COMMAND_LINE, ...lazy], "lazily"),
    define,
    plugins: [ownPlaces(), taken(new Set(inFirst))],
  });
  warm();
  dropOld();
}

/** A module that exports all of `files` as one object, by their names. */
function entry(files: readonly string[], how?: "lazily"): BuildOptions {
  const sorted = [...new Set(files)].toSorted();
  const text =
    how === "lazily"
      ? [
          "export const modules = {",
          ...sorted.map((file) => `  "${file}": () => require("./${file}"),`),
          "};",
        ]
      : [
          ...sorted.map((file, at) => `import * as m${at} from "./${file}";`),
          `export const modules = { ${sorted.map((file, at) => `"${file}": m${at}`).join(", ")} };`,
        ];
  return { stdin: { contents: text.join("\n"), resolveDir: ROOT, sourcefile: "entry.ts" } };
}

const COMMON = {
  bundle: true,
  write: false,
  metafile: true,
  absWorkingDir: ROOT,
  platform: "node",
  format: "cjs",
  target: "node24",
  charset: "ascii",
  legalComments: "none",
  logLevel: "warning",
  // Each is then begun when it is imported and not before, without a promise per module.
  supported: { "dynamic-import": false },
  // Machine code beside them.
  external: ["@napi-rs/keyring", "esbuild"],
  banner: { js: "(function (exports, require, module, packed) {" },
  footer: { js: "})" },
} as const satisfies BuildOptions;

async function inputsOf(options: BuildOptions): Promise<readonly string[]> {
  const { build } = await import("esbuild");
  const { metafile } = await build({ ...COMMON, ...options, metafile: true });
  return Object.keys(metafile.inputs);
}

/** Packages are watched by the lock that they were installed from. */
function ourFiles(inputs: readonly string[]): readonly string[] {
  return inputs.filter((path) => path.startsWith("src/"));
}

async function pack(
  name: (typeof NAMES)[number],
  more: readonly string[],
  options: BuildOptions,
): Promise<void> {
  const { build } = await import("esbuild");
  const { metafile, outputFiles } = await build({
    ...COMMON,
    ...options,
    write: false,
    metafile: true,
  });
  const code = outputFiles[0]?.text ?? "";
  const files = [...new Set([...ourFiles(Object.keys(metafile.inputs)), ...more, ...MAKING])];
  const id = createHash("sha256").update(code).digest("hex").slice(0, 16);
  writeFileAtomic(join(FOLDER, `${name}-${id}.cjs`), code, 0o644);
  const index = {
    root: ROOT,
    node: process.version,
    id,
    content: contentOf(files),
    files: files.map((path) => [path, stampOf(path)]),
  };
  writeFileAtomic(join(FOLDER, `${name}.json`), JSON.stringify(index), 0o644);
}

/** As start.cjs reckons it. */
function contentOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of files) hash.update(readFileSync(join(ROOT, path))).update("\0");
  return hash.digest("hex");
}

function stampOf(path: string): string {
  const { size, mtimeMs, ctimeMs, ino } = statSync(join(ROOT, path));
  return `${size}:${mtimeMs}:${ctimeMs}:${ino}`;
}

/** A module finds files of the project by where it lies: there it goes on lying. */
function ownPlaces(): Plugin {
  return {
    name: "own places",
    setup(making) {
      making.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        if (!text.includes("import.meta.url")) return undefined;
        const url = JSON.stringify(pathToFileURL(path).href);
        return { contents: text.replaceAll("import.meta.url", url), loader: "ts" };
      });
    },
  };
}

/** Leaves out what is imported when it is needed; it is asked for in `rest`, and noted in `found`. */
function outside(found: Set<string>): Plugin {
  return {
    name: "outside",
    setup(making) {
      making.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, (args) => {
        if (args.kind !== "dynamic-import") return undefined;
        const path = placeOf(args);
        found.add(path);
        return { path, namespace: "rest" };
      });
      making.onLoad({ filter: /.*/, namespace: "rest" }, ({ path }) => ({
        contents: `module.exports = packed.rest(${JSON.stringify(path)});`,
      }));
    },
  };
}

/** Takes the modules of `first` from there. */
function taken(first: ReadonlySet<string>): Plugin {
  return {
    name: "taken",
    setup(making) {
      making.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, (args) =>
        first.has(placeOf(args)) ? { path: placeOf(args), namespace: "first" } : undefined,
      );
      making.onLoad({ filter: /.*/, namespace: "first" }, ({ path }) => ({
        contents: `module.exports = packed.first[${JSON.stringify(path)}];`,
      }));
    },
  };
}

function placeOf({ path, resolveDir }: OnResolveArgs): string {
  return relative(ROOT, resolve(resolveDir, path));
}

/** Runs usual commands in a process of its own, which keeps what V8 then has compiled. */
function warm(): void {
  const script = join(dirname(fileURLToPath(import.meta.url)), "warmPacked.cjs");
  const { status } = spawnSync(process.execPath, [script], { stdio: "ignore", timeout: 60_000 });
  // Everything works without, only slower.
  if (status !== 0) process.stderr.write("note: compiled code of the command line is not kept\n");
}

function dropOld(): void {
  const kept = NAMES.flatMap((name) => {
    const { id } = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8")) as { id: string };
    return [`${name}.json`, `${name}-${id}.cjs`, `${name}-${id}.code`];
  });
  for (const file of readdirSync(FOLDER))
    if (!kept.includes(file)) rmSync(join(FOLDER, file), { force: true });
}

await main();
