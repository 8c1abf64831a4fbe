import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isBelow } from "../../profiles/index.ts";
import { findProgram, RunError, type PreparedRun } from "../../run/index.ts";
import type { Refused } from "./explainEnd.ts";

/** Looks at a command from outside while it runs. */
export interface FileTrace extends Disposable {
  /** What the command is started through. */
  readonly through: readonly string[];
  refusals(): Refused[];
}

/**
 * Has strace(1) write down which files and programs the command asked for and didn't get. It watches
 * from outside, so the wall is what it is without; the command only gets slower.
 *
 * @throws RunError `no-command` when there is no strace
 */
export function traceFiles({ searchPath }: PreparedRun): FileTrace {
  const strace = findProgram("strace", searchPath, "/");
  if (strace === undefined) {
    throw new RunError("no-command", "--explain needs strace, which is not on this host", {
      hint: "install the package strace of your system",
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "seawall-explain-"));
  const file = join(folder, "calls");
  const calls = "trace=%file,execve";
  return {
    through: [
      strace.path,
      "-f",
      "-q",
      "--seccomp-bpf",
      "-Z",
      "-s",
      "4096",
      "-e",
      calls,
      "-e",
      "signal=none",
      "-o",
      file,
      "--",
    ],
    refusals: () => readCalls(file),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Everything that bubblewrap and the launcher do comes before this line. */
const BEGIN = /execve\("\/run\/seawall\/launch"/;
const CALL =
  /^(?:\d+\s+)?(\w+)\((?:AT_FDCWD, |\d+, )?"((?:[^"\\]|\\.)*)"(.*)= -1 (ENOENT|EACCES|EPERM|EROFS)\b/;
/** What programs ask the kernel about the machine, and do without. */
const KERNEL = ["/proc", "/sys", "/dev"];
const WRITING = /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/;
const WRITES = new Set([
  "mkdir",
  "mkdirat",
  "unlink",
  "unlinkat",
  "rename",
  "renameat2",
  "rmdir",
  "truncate",
  "chmod",
  "fchmodat",
]);

function readCalls(file: string): Refused[] {
  let lines: string[] = [];
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch {
    // It never began.
  }
  const begin = lines.findLastIndex((line) => BEGIN.test(line));
  return lines.slice(begin + 1).flatMap((line): Refused[] => {
    const [, name = "", path = "", rest = ""] = CALL.exec(line) ?? [];
    if (!path.startsWith("/") || path === "/" || KERNEL.some((each) => isBelow(path, each)))
      return [];
    if (name === "execve") return [{ kind: "exec", what: path }];
    return [{ kind: WRITES.has(name) || WRITING.test(rest) ? "write" : "read", what: path }];
  });
}
