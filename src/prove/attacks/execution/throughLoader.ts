import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { execute } from "../../inside/execute.ts";
import { findPrograms, LOADERS } from "../../inside/findPrograms.ts";
import { held, tryEach } from "../../inside/findings.ts";

export const throughLoader: Attack = {
  name: "through-loader",
  group: "execution",
  tries: "run a program that may only be read, or that it wrote, through the dynamic loader",
  run: async ({ field }) => {
    const loaders = LOADERS.filter((path) => existsSync(path));
    if (loaders.length === 0) return held("mount namespace", "there is no dynamic loader");
    const copy = join(field.home, `copy-${process.pid}`);
    copyFileSync(process.execPath, copy);
    try {
      const programs = [copy, ...findPrograms(3, field.granted)];
      return await tryEach(loaders, (loader) =>
        tryEach(programs, (program) => {
          // 127 is what the loader ends with when it may not load.
          const ran = (status: number | null): boolean => status !== null && status < 126;
          return execute(loader, [program, "--version"], { ran });
        }),
      );
    } finally {
      rmSync(copy);
    }
  },
};
