import type { Attack } from "../../Attack.ts";
import { held, inapplicable, through } from "../../inside/findings.ts";

const SIGSYS = 31;

export const thirtyTwoBit: Attack = {
  name: "32-bit-calls",
  group: "execution",
  tries: "make system calls of the 32-bit kind, past a filter for the 64-bit ones",
  run: ({ kernel, field }) => {
    if (field.architecture !== "x86_64") return inapplicable("there are none on this machine");
    const { results, signal } = kernel.sequence([["32-bit getpid"]]);
    const [result] = results;
    if (result !== undefined && "value" in result && result.value > 0) return through("it worked");
    if (signal === SIGSYS) return held("seccomp", "the filter killed the process");
    return held("kernel", `this kernel has none: signal ${signal}`);
  },
};
