import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Failure } from "./Failure.ts";
import type { SavedFile } from "./Job.ts";
import { withCopy } from "./withCopy.ts";

/** A value, and what takes its place. */
export interface Pair {
  readonly value: string;
  readonly phantom: string;
}

const LARGEST = 256 * 1024 * 1024;
const SQLITE = Buffer.from("SQLite format 3\0");
/** Programs that OpenClaw has fetched; a repository's objects can't be changed without changing its history. */
const LEFT_OUT = new Set(["node_modules", "npm", "objects"]);
const SIDES = ["-wal", "-shm", "-journal"];

/** Text files and databases below `folder` that hold one of the values, as relative paths, sorted. */
export function filesWith(folder: string, pairs: readonly Pair[]): string[] {
  const found: string[] = [];
  const pending = [""];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) pending.push(path);
      if (!entry.isFile() || SIDES.some((end) => entry.name.endsWith(end))) continue;
      if (holds(join(folder, path), pairs)) found.push(path);
    }
  }
  return found.toSorted();
}

function holds(file: string, pairs: readonly Pair[]): boolean {
  if (lstatSync(file).size > LARGEST) return false;
  const bytes = readFileSync(file);
  if (bytes.subarray(0, SQLITE.length).equals(SQLITE)) {
    return (
      ["", "-wal"].some((end) => {
        const stats = lstatSync(file + end, { throwIfNoEntry: false });
        if (stats === undefined || !stats.isFile()) return false;
        const part = readFileSync(file + end);
        return pairs.some(({ value }) => part.includes(value));
      }) || withCopy(file, (open) => cells(open).some(({ count }) => count(open, pairs) > 0))
    );
  }
  if (bytes.subarray(0, 8192).includes(0)) return false;
  return pairs.some((pair) => spellings(pair).some(([value]) => bytes.includes(value)));
}

/** As it is, and as JSON and URLs write it. */
function spellings({ value, phantom }: Pair): [value: string, phantom: string][] {
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  return [
    [value, phantom],
    [inJson(value), inJson(phantom)],
    [encodeURIComponent(value), encodeURIComponent(phantom)],
  ];
}

/** Each file is changed whole or not at all; its mode stays. */
export function replaceIn(folder: string, path: string, pairs: readonly Pair[]): void {
  const file = join(folder, path);
  const bytes = readFileSync(file);
  if (bytes.subarray(0, SQLITE.length).equals(SQLITE)) {
    replaceInDatabase(file, path, pairs);
    return;
  }
  // Bytes stay bytes: what isn't UTF-8 must come back as it was.
  let text = bytes.toString("latin1");
  for (const pair of pairs)
    for (const [value, phantom] of spellings(pair))
      text = text.replaceAll(latin1(value), () => latin1(phantom));
  const { mode } = lstatSync(file);
  writeWhole(file, Buffer.from(text, "latin1"), mode & 0o7777, path);
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function replaceInDatabase(file: string, path: string, pairs: readonly Pair[]): void {
  try {
    database(file, (open) => {
      open.exec("PRAGMA secure_delete=ON; BEGIN IMMEDIATE");
      for (const { replace } of cells(open)) replace(open, pairs);
      open.exec("COMMIT");
      // What was there is in free pages and in the log until these are gone.
      open.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    });
  } catch (cause) {
    throw new Failure("disk", path, cause);
  }
}

interface Column {
  readonly count: (database: DatabaseSync, pairs: readonly Pair[]) => number;
  readonly replace: (database: DatabaseSync, pairs: readonly Pair[]) => void;
}

/** Every column of every ordinary table. */
function cells(open: DatabaseSync): Column[] {
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const tables = open
    .prepare("SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    .all() as { name: string }[];
  return tables.flatMap(({ name: table }) => {
    // Generated columns can't be written to and follow the others.
    const columns = open.prepare(`PRAGMA table_info(${quote(table)})`).all() as { name: string }[];
    return columns.map(({ name }): Column => {
      const [from, column] = [quote(table), quote(name)];
      return {
        count: (database, pairs) =>
          pairs.reduce((sum, { value }) => {
            const row = database
              .prepare(
                `SELECT count(*) AS n FROM ${from} WHERE typeof(${column})='text' AND instr(${column}, ?) > 0`,
              )
              .get(value) as { n: number };
            return sum + row.n;
          }, 0),
        replace: (database, pairs) => {
          for (const pair of pairs)
            for (const [value, phantom] of spellings(pair))
              database
                .prepare(
                  `UPDATE ${from} SET ${column} = replace(${column}, ?, ?) WHERE typeof(${column})='text' AND instr(${column}, ?) > 0`,
                )
                .run(value, phantom, value);
        },
      };
    });
  });
}

function database<T>(file: string, work: (open: DatabaseSync) => T): T {
  const open = new DatabaseSync(file, { allowExtension: false });
  try {
    open.exec("PRAGMA trusted_schema=OFF");
    return work(open);
  } finally {
    open.close();
  }
}

/** The file, and for a database what stands beside it, so that all of it can be put back. */
export function save(folder: string, path: string): SavedFile[] {
  return ["", ...SIDES].flatMap((end): SavedFile[] => {
    const stats = lstatSync(join(folder, path + end), { throwIfNoEntry: false });
    if (stats === undefined) return [{ path: path + end, mode: 0, modified: 0 }];
    if (!stats.isFile()) throw new Failure("changed", path + end);
    if (stats.size > LARGEST) throw new Failure("too-large", path + end);
    const bytes = readFileSync(join(folder, path + end)).toString("base64");
    return [{ path: path + end, mode: stats.mode & 0o7777, modified: stats.mtimeMs, bytes }];
  });
}

/**
 * Puts a file back as it was, or away if there was none. What is as it was isn't written: after a full
 * disk, or on one that can't be written to, there would be no room for it.
 */
export function restore(folder: string, { path, mode, modified, bytes }: SavedFile): void {
  const file = join(folder, path);
  if (bytes === undefined) {
    rmSync(file, { force: true });
    return;
  }
  const was = Buffer.from(bytes, "base64");
  const stats = lstatSync(file, { throwIfNoEntry: false });
  const same =
    stats?.isFile() === true &&
    (stats.mode & 0o7777) === mode &&
    stats.size === was.length &&
    readFileSync(file).equals(was);
  if (same && stats.mtimeMs === modified) return;
  if (!same) writeWhole(file, was, mode, path);
  utimesSync(file, new Date(), new Date(modified));
}

function writeWhole(file: string, bytes: Uint8Array, mode: number, path: string): void {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.seawall`;
  try {
    writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
    chmodSync(temporary, mode);
    sync(temporary);
    renameSync(temporary, file);
    sync(dirname(file));
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new Failure("disk", path, cause);
  }
}

function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
