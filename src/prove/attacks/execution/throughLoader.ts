import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Attack, Finding } from "../../Attack.ts";
import { execute, isNoexec } from "../../inside/execute.ts";
import { findPrograms, LOADERS } from "../../inside/findPrograms.ts";
import { held, tryEach } from "../../inside/findings.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const throughLoader: Attack = {
  name: "through-loader",
  group: "execution",
  tries: "run a program that may only be read, or that it wrote, through the dynamic loader",
  run: ({ field }) =>
    inWritableFolder(field, async (folder) => {
      const loaders = LOADERS.filter((path) => existsSync(path));
      if (loaders.length === 0) return held("mount namespace", "there is no dynamic loader");
      const copy = join(folder, `copy-${process.pid}`);
      copyFileSync(process.execPath, copy);
      try {
        const programs = [copy, ...findPrograms(3, field.granted)];
        return await tryEach(loaders, (loader) =>
          tryEach(programs, (program) => throughOne(loader, program)),
        );
      } finally {
        rmSync(copy);
      }
    }),
};

function throughOne(loader: string, program: string): Finding {
  // The loader ends with 127 when it may not load something.
  const ran = (status: number | null): boolean => status !== null && status < 126;
  const finding = execute(loader, [program, "--version"], { ran });
  if (finding.state !== "held" || finding.layer !== "kernel" || !isNoexec(program)) return finding;
  return {
    ...finding,
    layer: "noexec mount",
    detail: `${loader} ${program}: can't be mapped as code`,
  };
}
