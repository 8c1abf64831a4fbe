"use strict";
// Where bin/seawall begins. Plain JavaScript, and CommonJS because that is up sooner: loading the
// command line from its TypeScript, file by file, takes longer than most commands do.
//
// `./dev setup` packs it (packed/makePacked.ts) into build/packed, beside the launcher and as
// trustworthy. What is packed is used while it is what the sources say, else the sources are.
const { closeSync, fstatSync, openSync, readFileSync, statSync } = require("node:fs");
const { homedir } = require("node:os");
const { join } = require("node:path");
const { Script } = require("node:vm");

const ROOT = join(__dirname, "../..");
const FOLDER = join(ROOT, "build/packed");
const COMMAND_LINE = "src/cli/runCommandLine.ts";

/** What was loaded, for packed/warmPacked.cjs. */
const loaded = [];

async function main(args) {
  // On macOS there is none, which the command line says.
  const alone = args[0] === "run" && process.platform !== "darwin";
  // Two parts: what walling a command takes, and everything else.
  const first = load("first", { rest });
  let second;
  function rest(path) {
    second ??= load("rest", { first: first.modules });
    return second === undefined ? require(join(ROOT, path)) : second.modules[path]();
  }
  if (first !== undefined) {
    if (alone) return await first.modules["src/cli/run/runAlone.ts"].runAlone(args.slice(1));
    second = load("rest", { first: first.modules });
    if (second !== undefined) return await second.modules[COMMAND_LINE]().runCommandLine(args);
  }
  cacheCompiled();
  if (alone) return await (await import("./run/runAlone.ts")).runAlone(args.slice(1));
  return await (await import("./runCommandLine.ts")).runCommandLine(args);
}

/** One part of what is packed, or undefined if there is none that is right. */
function load(name, packed) {
  try {
    const index = JSON.parse(readOwn(join(FOLDER, `${name}.json`), "utf8"));
    if (index.root !== ROOT || !isRight(index, name)) return undefined;
    const filename = join(FOLDER, `${name}-${index.id}.cjs`);
    const cachedData = index.node === process.version ? readCompiled(name, index.id) : undefined;
    // Latin-1 is what an ASCII file is read as fastest.
    const script = new Script(readOwn(filename, "latin1"), { filename, cachedData });
    loaded.push({ script, filename });
    const module = { exports: {} };
    script.runInThisContext()(module.exports, require, module, packed);
    return module.exports;
  } catch {
    // Not packed, or half of it gone: the sources are there.
    return undefined;
  }
}

function readCompiled(name, id) {
  try {
    return readOwn(join(FOLDER, `${name}-${id}.code`));
  } catch {
    return undefined;
  }
}

/** Reads what only the owner of these sources, or root, can have written. */
function readOwn(file, encoding) {
  const fd = openSync(file, "r");
  try {
    const { uid, mode } = fstatSync(fd);
    if ((mode & 0o022) !== 0 || (uid !== 0 && uid !== statSync(__filename).uid))
      throw new Error("somebody else may write it");
    return readFileSync(fd, encoding);
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether every file that was packed is still what it was: by its stamp, as git does it, or where the
 * stamps differ (a copy, a container's layer) by content.
 */
function isRight(index, name) {
  const stamps = index.files.map(([path]) => stampOf(path));
  if (stamps.every((stamp, at) => stamp === index.files[at][1])) return true;
  const { createHash } = require("node:crypto");
  const hash = createHash("sha256");
  for (const [path] of index.files) hash.update(readFileSync(join(ROOT, path))).update("\0");
  if (hash.digest("hex") !== index.content) return false;
  try {
    const files = index.files.map(([path], at) => [path, stamps[at]]);
    const { writeFileAtomic } = require("../files/writeFileAtomic.ts");
    writeFileAtomic(join(FOLDER, `${name}.json`), JSON.stringify({ ...index, files }), 0o644);
  } catch {
    // Somebody else's folder: it is compared again the next time.
  }
  return true;
}

/** Whether all of the command line is packed, as it is now. */
function isPacked() {
  return ["first", "rest"].every((name) => {
    try {
      const index = JSON.parse(readOwn(join(FOLDER, `${name}.json`), "utf8"));
      const whole = readCompiled(name, index.id) !== undefined && index.node === process.version;
      return whole && index.root === ROOT && isRight(index, name);
    } catch {
      return false;
    }
  });
}

function stampOf(path) {
  const { size, mtimeMs, ctimeMs, ino } = statSync(`${ROOT}/${path}`);
  return `${size}:${mtimeMs}:${ctimeMs}:${ino}`;
}

/** Has Node keep what it compiles of the sources, in a folder that only this user can write. */
function cacheCompiled() {
  const { env, getuid } = process;
  // Beside the programs that Seawall keeps (src/paths/statePaths.ts).
  const data = env.XDG_DATA_HOME?.startsWith("/") ? env.XDG_DATA_HOME : `${homedir()}/.local/share`;
  const root = getuid?.() === 0;
  const store = env.SEAWALL_STORE || (root ? "/var/lib/seawall/store" : `${data}/seawall/store`);
  if (store.startsWith("/")) require("node:module").enableCompileCache(`${store}/command-cache`);
}

if (require.main === module) {
  const args = process.argv.slice(2);
  void main(args).then((code) => {
    // Nothing is left to be done for a command that has ended, and taking Node apart takes its time.
    if (args[0] === "run") process.exit(code);
    process.exitCode = code;
  });
} else module.exports = { isPacked, loaded, main };
