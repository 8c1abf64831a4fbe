import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { syncFolder } from "../files/index.ts";
import { asDiskError } from "./HostError.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** A program of ours that runs inside a wall, where it has nothing but itself. */
export interface InsideProgram {
  readonly name: string;
  /** Folders of `src` that it consists of. */
  readonly sources: readonly string[];
  /** Packages that it loads, and theirs. */
  readonly packages: readonly string[];
}

/**
 * Copies a program into the store, by content, where every bot's user can read it.
 *
 * @returns the folder, which holds `src` and `node_modules` as this project does.
 */
export function storeProgram(store: string, program: InsideProgram): string {
  const files = filesOf(program);
  const hash = createHash("sha256");
  for (const file of files) {
    const content = createHash("sha256").update(readFileSync(join(PROJECT, file)));
    hash.update(`${file}\0${content.digest("hex")}\n`);
  }
  const folder = join(store, `${program.name}-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  try {
    mkdirSync(store, { recursive: true, mode: 0o755 });
    const temporary = mkdtempSync(join(store, `.unfinished-${program.name}-`));
    try {
      const whole = join(temporary, "program");
      copyProgram(whole, program);
      renameSync(whole, folder);
      syncFolder(store);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  } catch (error) {
    // Another process may have been first.
    if (!existsSync(folder)) throw asDiskError(error, "a program");
  }
  return folder;
}

/** The same folder at a place of its own, as a package of ours has it. */
export function copyProgram(folder: string, program: InsideProgram): void {
  for (const file of filesOf(program)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true, mode: 0o755 });
    cpSync(join(PROJECT, file), join(folder, file));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
}

function filesOf(program: InsideProgram): string[] {
  return [
    ...program.sources.flatMap((folder) =>
      globSync("*.ts", { cwd: join(PROJECT, "src", folder) })
        .filter((name) => !name.endsWith(".test.ts"))
        .map((name) => join("src", folder, name)),
    ),
    ...program.packages.flatMap((name) =>
      globSync("**/*.{js,cjs,mjs,json}", { cwd: join(PROJECT, "node_modules", name) }).map((path) =>
        join("node_modules", name, path),
      ),
    ),
  ].toSorted();
}
