import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { syncFolder } from "../files/index.ts";
import { asDiskError } from "./HostError.ts";
import { INSIDE } from "./inside.ts";

const NPM = fileURLToPath(new URL("../../node_modules/npm", import.meta.url));

/** Where npm lies inside a wall, and the program in it that starts it there. */
export const NPM_INSIDE = "/opt/npm";
export const NPM_PROGRAM = "bin/npm-in-wall";

/** The command of an npm that was copied, outside of walls. */
export function npmOf(folder: string): readonly [program: string, ...args: string[]] {
  return [process.execPath, join(folder, "bin/npm-cli.js")];
}

/** Copies the npm of our own lock file into the store, where bots' users can read it. */
export function storeNpm(store: string): string {
  const { version } = JSON.parse(readFileSync(join(NPM, "package.json"), "utf8")) as {
    version: string;
  };
  const folder = join(store, `npm-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(store, { recursive: true, mode: 0o755 });
  const temporary = mkdtempSync(join(store, ".unfinished-npm-"));
  try {
    cpSync(NPM, join(temporary, "npm"), { recursive: true });
    // npm's own program looks for node by /usr/bin/env, which a wall doesn't have.
    const program = `#!${INSIDE.node}\nrequire("${NPM_INSIDE}/bin/npm-cli.js");\n`;
    writeFileSync(join(temporary, "npm", NPM_PROGRAM), program, { mode: 0o755 });
    renameSync(join(temporary, "npm"), folder);
    syncFolder(store);
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw asDiskError(error, "npm");
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}
