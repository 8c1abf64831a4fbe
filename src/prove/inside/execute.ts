import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attacker, Finding } from "../Attack.ts";
import { EXIT_STATUS, program } from "./elf.ts";
import { codeOf, held, through } from "./findings.ts";

/** Runs a program and says whether it ran. */
export function execute(
  path: string,
  args: readonly string[] = [],
  options: {
    readonly name?: string;
    readonly ran?: (status: number | null, output: string) => boolean;
  } = {},
): Finding {
  const { error, status, signal, stdout } = spawnSync(path, args, {
    encoding: "utf8",
    timeout: 5_000,
    killSignal: "SIGKILL",
    ...(options.name === undefined ? {} : { argv0: options.name }),
  });
  const { ran = () => true } = options;
  if (error !== undefined) return refusedProgram(path, codeOf(error));
  if (signal === "SIGSYS") return held("seccomp", `${path}: killed with SIGSYS`);
  if (ran(status, stdout))
    return through(`${[path, ...args.filter((arg) => arg.startsWith("/"))].join(" ")} ran`);
  return held("kernel", `${path} started but did nothing: ${signal ?? `status ${status}`}`);
}

/** access(2) doesn't ask Landlock, so what it allows and execve(2) refuses is that. */
export function refusedProgram(path: string, code: string): Finding {
  if (code === "ENOENT" || code === "ENOTDIR") return held("mount namespace", `${path}: ${code}`);
  if (code === "EAGAIN" || code === "ENOMEM") return held("limits", `${path}: ${code}`);
  if (code !== "EACCES" && code !== "EPERM") return held("kernel", `${path}: ${code}`);
  try {
    accessSync(path, constants.X_OK);
    return held("Landlock", `${path}: ${code}`);
  } catch {
    return held(isNoexec(path) ? "noexec mount" : "file permissions", `${path}: ${code}`);
  }
}

/** Puts a program of its own into a folder and runs it. */
export function executeOwn({ field }: Attacker, folder: string): Finding {
  const path = join(folder, `prove-own-${process.pid}`);
  try {
    writeFileSync(path, program(field.architecture), { mode: 0o755 });
  } catch (error) {
    return held("read-only mount", `${folder} can't be written: ${codeOf(error)}`);
  }
  try {
    return execute(path, [], { ran: (status) => status === EXIT_STATUS });
  } finally {
    rmSync(path, { force: true });
  }
}

/** Whether the mount that a path is on lets nothing be executed (proc_pid_mountinfo(5)). */
export function isNoexec(path: string): boolean {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const over = mounts
    .map((line) => line.split(" "))
    .filter(([, , , , point = ""]) => path === point || path.startsWith(point.replace(/\/?$/, "/")))
    .toSorted(([, , , , one = ""], [, , , , other = ""]) => one.length - other.length);
  return over.at(-1)?.[5]?.split(",").includes("noexec") === true;
}
