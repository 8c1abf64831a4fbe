import { closeSync, openSync } from "node:fs";
import type { Attack } from "../../Attack.ts";
import { codeOf, held, through } from "../../inside/findings.ts";

const RLIMIT_NOFILE = 7;

export const descriptors: Attack = {
  name: "descriptors",
  group: "exhaustion",
  tries: "open files until the machine has no more",
  run: ({ kernel, field }) => {
    const most = field.bounds.descriptors;
    const limit = BigInt64Array.of(BigInt(most) + 64n, BigInt(most) + 64n);
    kernel.call("prlimit64", 0, RLIMIT_NOFILE, limit, 0);
    const open: number[] = [];
    try {
      while (open.length < most) open.push(openSync("/dev/null", "r"));
      return through(`${most} files are open at once, and nothing stopped it`);
    } catch (error) {
      return held("limits", `${codeOf(error)} after ${open.length} files`);
    } finally {
      for (const fd of open) closeSync(fd);
    }
  },
};
