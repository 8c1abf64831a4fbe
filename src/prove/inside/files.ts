import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from "node:fs";
import type { Finding, Layer } from "../Attack.ts";
import type { Place } from "../Field.ts";
import { codeOf, held, MARKER, through, tryEach, untried } from "./findings.ts";

/** Tries to read files that are there outside. A folder is read for what is in it. */
export function readFiles(paths: readonly string[]): Promise<Finding> {
  return tryEach(paths, readOne);
}

function readOne(path: string): Finding {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const block = Buffer.alloc(65_536);
      const bytes = readSync(fd, block, 0, block.length, 0);
      const marked = MARKER.test(block.toString("latin1", 0, bytes)) ? ", a planted secret" : "";
      return through(`read ${bytes} bytes of ${path}${marked}`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (codeOf(error) === "EISDIR") return readFolder(path);
    return refusedFile(path, codeOf(error), constants.R_OK);
  }
}

function readFolder(path: string): Finding {
  try {
    return through(`listed ${readdirSync(path).length} names in ${path}`);
  } catch (error) {
    return refusedFile(path, codeOf(error), constants.R_OK);
  }
}

/** What refused a file. access(2) doesn't ask Landlock, so what it allows and open(2) refuses is that. */
export function refusedFile(path: string, code: string, mode: number): Finding {
  return held(layerOfFile(path, code, mode), `${path}: ${code}`);
}

function layerOfFile(path: string, code: string, mode: number): Layer {
  const process = /^\/proc\/\d+/.exec(path)?.[0];
  if (process !== undefined && !existsSync(process)) return "pid namespace";
  // What /proc has of another process is given to whoever may trace it (ptrace(2)).
  if (process !== undefined && (code === "EACCES" || code === "EPERM")) return "user namespace";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ELOOP":
    case "ENXIO":
      return "mount namespace";
    case "EROFS":
      return "read-only mount";
    case "EACCES":
    case "EPERM":
      try {
        accessSync(path, mode);
        return "Landlock";
      } catch (error) {
        return codeOf(error) === "EROFS" ? "read-only mount" : "file permissions";
      }
    default:
      return "kernel";
  }
}

/**
 * Tries to write where it would be run or trusted later. What is planted is written; what is real is
 * only opened for appending, or for a file without a name in a folder (O_TMPFILE), which changes nothing.
 */
export function writePlaces(places: readonly Place[], tag: string): Promise<Finding> {
  return tryEach(places, (place) => writeOne(place, tag));
}

const O_TMPFILE = 0o20_000_000 | constants.O_DIRECTORY;

function writeOne({ path, planted }: Place, tag: string): Finding {
  let folder: boolean;
  try {
    folder = lstatSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") return refusedFile(path, codeOf(error), constants.W_OK);
    return held("mount namespace", `${path}: ENOENT`);
  }
  const flags = constants.O_WRONLY | (folder ? O_TMPFILE : constants.O_APPEND);
  try {
    const fd = openSync(path, flags | constants.O_NONBLOCK, 0o600);
    closeSync(fd);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EOPNOTSUPP") return untried(`${path}: its file system has no nameless files`);
    return refusedFile(path, code, constants.W_OK);
  }
  if (planted && !folder) {
    const fd = openSync(path, "a");
    try {
      writeSync(fd, `${tag}\n`);
    } finally {
      closeSync(fd);
    }
  }
  return through(`${planted && !folder ? "wrote to" : "could write to"} ${path}`);
}
