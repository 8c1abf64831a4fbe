import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { execute } from "../../inside/execute.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const ownScript: Attack = {
  name: "own-script",
  group: "execution",
  tries: "write a script and run it by its path",
  run: ({ field }) =>
    inWritableFolder(field, (folder) => {
      const path = join(folder, `script-${process.pid}`);
      writeFileSync(path, `#!${process.execPath}\nconsole.log("it " + "ran");\n`, { mode: 0o755 });
      try {
        return execute(path, [], { ran: (_, output) => output.includes("it ran") });
      } finally {
        rmSync(path);
      }
    }),
};
