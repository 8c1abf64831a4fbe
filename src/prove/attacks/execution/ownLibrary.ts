import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { isNoexec } from "../../inside/execute.ts";
import { codeOf, held, through } from "../../inside/findings.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const ownLibrary: Attack = {
  name: "own-library",
  group: "execution",
  tries: "load machine code from a file of its own into Node",
  run: ({ field }) =>
    inWritableFolder(field, (folder) => {
      const path = join(folder, `library-${process.pid}.node`);
      copyFileSync(field.addon, path);
      try {
        process.dlopen({ exports: {} }, path);
        return through(`${path} was loaded`);
      } catch (error) {
        const layer = isNoexec(path) ? "noexec mount" : "kernel";
        return held(layer, `${path}: ${codeOf(error)}`);
      } finally {
        rmSync(path);
      }
    }),
};
