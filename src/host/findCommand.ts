import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, join } from "node:path";
import { isManyInOne } from "./grantedPrograms.ts";
import { HostError } from "./HostError.ts";

/** Folders of the system's own commands; a person's private folders are not searched. */
const FOLDERS = [
  "/usr/local/bin",
  "/usr/bin",
  "/bin",
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/run/current-system/sw/bin",
  // Homebrew's, on macOS
  "/opt/homebrew/bin",
];

/** A command of this host that will exist inside a wall under its name. */
export interface FoundCommand {
  readonly name: string;
  /** The file itself, links followed. */
  readonly path: string;
}

/**
 * Finds every granted command on this host.
 *
 * @param folders where to look, if not in the system's own
 * @throws HostError `no-command` for a name that isn't there; `script-without-interpreter` when one
 *   is a script whose interpreter is not granted: it could not run, and an interpreter is a grant
 *   that a person must make knowingly; `many-in-one` when the file would also be other programs
 *   under other names.
 */
export function findCommands(
  names: readonly string[],
  bot: string,
  folders: readonly string[] = FOLDERS,
): FoundCommand[] {
  const found = names.map((name) => ({ name, path: find(name, bot, folders) }));
  for (const { name, path } of found) {
    const file = basename(path);
    if (isManyInOne(name, file) && !names.includes(file))
      throw new HostError(
        "many-in-one",
        `command "${name}" is "${file}" on this host, many programs in one, which bot "${bot}" is not granted`,
        {
          hint: `install "${name}" as a program of its own, or grant "${file}" if the bot may run all that is in it`,
        },
      );
    const interpreter = interpreterOf(path);
    if (interpreter === undefined || names.includes(interpreter)) continue;
    throw new HostError(
      "script-without-interpreter",
      `command "${name}" is a script for "${interpreter}", which bot "${bot}" is not granted`,
      {
        hint: `grant "${interpreter}" too, if the bot may run any script with it, or leave "${name}" out`,
      },
    );
  }
  return found;
}

/**
 * git of this host for programs of ours: the system's own, else where the PATH has it, as on a machine where
 * Nix brings it for Seawall alone.
 */
export function findGit(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const more = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return findIn("git", [...FOLDERS, ...more]);
}

function findIn(name: string, folders: readonly string[]): string | undefined {
  for (const folder of name.includes("/") ? [] : folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return realpathSync(path);
    } catch {
      // Not here, or not for running.
    }
  }
  return undefined;
}

function find(name: string, bot: string, folders: readonly string[]): string {
  const found = findIn(name, folders);
  if (found !== undefined) return found;
  throw new HostError("no-command", `command "${name}" of bot "${bot}" is not on this host`, {
    hint: "install it, or remove it from exec.allow",
  });
}

/** Name of the program that a `#!` line starts, `env` looked through (execve(2)). */
function interpreterOf(path: string): string | undefined {
  const head = Buffer.alloc(256);
  const fd = openSync(path, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  if (head.toString("latin1", 0, 2) !== "#!") return undefined;
  const line = head.toString("utf8", 2).split("\n", 1).join("").trim();
  const [program = "", ...rest] = line.split(/\s+/);
  const first = rest.find((word) => !word.startsWith("-") && !word.includes("="));
  return basename(program) === "env" && first !== undefined ? basename(first) : basename(program);
}
