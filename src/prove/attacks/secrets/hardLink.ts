import { constants, linkSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Attack, Finding } from "../../Attack.ts";
import { readFiles, refusedFile } from "../../inside/files.ts";
import { codeOf, held, tryEach } from "../../inside/findings.ts";
import { inWritableFolder } from "../../inside/writableFolder.ts";

export const hardLink: Attack = {
  name: "hard-link",
  group: "secrets",
  tries: "link a key into its own folder and read it there",
  run: ({ field }) =>
    inWritableFolder(field, (folder) =>
      tryEach(field.secrets.owner, (path) => linkOne(path, join(folder, `hard-${process.pid}`))),
    ),
};

function linkOne(path: string, link: string): Finding | Promise<Finding> {
  try {
    linkSync(path, link);
  } catch (error) {
    if (codeOf(error) === "EXDEV") return held("mount namespace", `${path}: EXDEV`);
    return refusedFile(path, codeOf(error), constants.R_OK);
  }
  return readFiles([link]).finally(() => rmSync(link));
}
