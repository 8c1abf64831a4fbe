import { globSync, readFileSync, rmSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { held, through } from "../../inside/findings.ts";

const SIGSEGV = 11;
const RLIMIT_CORE = 4;

export const coreDump: Attack = {
  name: "core-dump",
  group: "secrets",
  tries: "have a crash write memory to a file or hand it to the host's collector of core dumps",
  run: ({ kernel, field }) => {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const hard = /^Max core file size\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? "unlimited";
    const value = hard === "unlimited" ? -1n : BigInt(hard);
    const { dumped, signal } = kernel.sequence([
      ["chdir", field.home],
      ["prlimit64", 0, RLIMIT_CORE, BigInt64Array.of(value, value), 0],
      ["getpid"],
      ["kill", { result: 2 }, SIGSEGV],
    ]);
    for (const file of globSync("core*", { cwd: field.home }))
      rmSync(`${field.home}/${file}`, { force: true });
    if (dumped) return through(`a core dump was written, the limit being ${hard} bytes`);
    return held("limits", `no core dump at signal ${signal}: at most ${hard} bytes`);
  },
};
