import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { execute } from "../../inside/execute.ts";

export const ownScript: Attack = {
  name: "own-script",
  group: "execution",
  tries: "write a script and run it by its path",
  run: ({ field }) => {
    const path = join(field.home, `script-${process.pid}`);
    writeFileSync(path, `#!${process.execPath}\nconsole.log("it " + "ran");\n`, { mode: 0o755 });
    try {
      return execute(path, [], { ran: (_, output) => output.includes("it ran") });
    } finally {
      rmSync(path);
    }
  },
};
