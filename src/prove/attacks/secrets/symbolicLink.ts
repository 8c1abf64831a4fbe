import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Attack } from "../../Attack.ts";
import { readFiles } from "../../inside/files.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const symbolicLink: Attack = {
  name: "symbolic-link",
  group: "secrets",
  tries: "read a key through a symbolic link in its own folder",
  run: ({ field }) =>
    inWritableFolder(field, async (folder) => {
      const link = join(folder, `link-${process.pid}`);
      symlinkSync(field.secrets.owner[0] ?? "/", link);
      try {
        return await readFiles([link]);
      } finally {
        rmSync(link);
      }
    }),
};
