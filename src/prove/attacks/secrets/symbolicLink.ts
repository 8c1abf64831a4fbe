import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";

export const symbolicLink: Attack = {
  name: "symbolic-link",
  group: "secrets",
  tries: "read a key through a symbolic link in its own folder",
  run: async ({ field }) => {
    const link = join(field.home, `link-${process.pid}`);
    symlinkSync(field.secrets.owner[0] ?? "/", link);
    try {
      return await readFiles([link]);
    } finally {
      rmSync(link);
    }
  },
};
