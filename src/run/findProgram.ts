import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A program of this host. */
export interface Program {
  /** Where it is called, links in the folder's path followed: `/usr/bin/awk`. */
  readonly path: string;
  /** The file itself: `/usr/bin/mawk`. */
  readonly real: string;
  /** For a script: the words of its first line, `env` looked through (execve(2)). */
  readonly interpreter?: readonly [program: string, ...args: string[]];
  /** The folder with the rest of a Node.js package that a script belongs to. */
  readonly package?: string;
}

/** Where commands are if the person's PATH has none of them. */
const FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/**
 * Finds a program by its name, in `path` and then in the system's folders, or by its path, told from
 * `folder`. Undefined if there is none that this user may execute.
 */
export function findProgram(name: string, path: string, folder: string): Program | undefined {
  if (name.includes("/")) return examine(resolve(folder, name));
  const folders = [...path.split(":").filter((each) => each.startsWith("/")), ...FOLDERS];
  for (const each of new Set(folders)) {
    const program = examine(join(each, name));
    if (program !== undefined) return program;
  }
  return undefined;
}

function examine(file: string): Program | undefined {
  try {
    accessSync(file, constants.X_OK);
    if (!statSync(file).isFile()) return undefined;
    const path = join(realpathSync(dirname(file)), basename(file));
    const real = realpathSync(file);
    const interpreter = interpreterOf(real);
    if (interpreter === undefined) return { path, real };
    const root = packageOf(real);
    return { path, real, interpreter, ...(root === undefined ? {} : { package: root }) };
  } catch {
    // Not here, or not for running.
    return undefined;
  }
}

function interpreterOf(file: string): Program["interpreter"] {
  const head = Buffer.alloc(256);
  const fd = openSync(file, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
  if (head.toString("latin1", 0, 2) !== "#!") return undefined;
  const line = (head.toString("utf8", 2).split("\n", 1)[0] ?? "").replace(/\0.*$/s, "").trim();
  const [program, ...rest] = line.split(/\s+/);
  if (program === undefined || program === "") return undefined;
  if (basename(program) !== "env") return [program, ...rest];
  const words = rest.filter((word) => word !== "-S" && !/^\w+=/.test(word));
  const [name, ...args] = words;
  return name === undefined || name.startsWith("-") ? [program, ...rest] : [name, ...args];
}

/**
 * `/usr/lib/node_modules/npm/bin/npm-cli.js` -> `/usr/lib/node_modules/npm`. Where npm has installed
 * a project's packages side by side, all of them; for a package that lies elsewhere, the nearest
 * folder with a package.json.
 */
function packageOf(file: string): string | undefined {
  const steps = file.split("/");
  const at = steps.indexOf("node_modules");
  if (at > 0) {
    const all = steps.slice(0, at + 1).join("/");
    const scoped = steps[at + 1]?.startsWith("@") === true ? 3 : 2;
    const own = steps.slice(0, at + scoped).join("/");
    return sharesFolder(own, all) ? all : own;
  }
  for (let folder = dirname(file); folder !== "/"; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
  }
  return undefined;
}

/** Whether some package that `own` depends on lies beside it, in `all`, and not inside of it. */
function sharesFolder(own: string, all: string): boolean {
  if (existsSync(join(all, ".package-lock.json"))) return true;
  try {
    const { dependencies = {} } = JSON.parse(readFileSync(join(own, "package.json"), "utf8")) as {
      dependencies?: Readonly<Record<string, string>>;
    };
    return Object.keys(dependencies).some(
      (name) => existsSync(join(all, name)) && !existsSync(join(own, "node_modules", name)),
    );
  } catch {
    // No package of the usual form: what it needs is in its own folder.
    return false;
  }
}
