import { chmodSync, fstatSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { GENESIS, hashBody, readSealedLine } from "../chain.ts";
import { recordNames } from "../recordFiles.ts";
import { INDEX_VERSION, INDEXES, TABLES } from "./indexSchema.ts";
import { IndexWriter } from "./IndexWriter.ts";
import { openRecord, readLines, type RecordFile } from "./readLines.ts";

const BUSY_MS = 30_000;

interface Known {
  readonly id: number;
  readonly first: number;
  lines: number;
  bytes: number;
  seq: number;
  hash: string;
  intact: number;
  stat: string | null;
}

/** What bringing the index up to date came to. */
export interface IndexUpdate {
  readonly added: number;
  readonly rebuilt: boolean;
  /** Whether every line that was read followed from the one before. `verify` says what is wrong. */
  readonly intact: boolean;
}

/**
 * Opens the index of a record and brings it up to date; the record itself is only read. What was
 * indexed once is not read again, unless a file has changed. An index that can't be used is made anew.
 *
 * @param path of the index; mode 0600.
 * @throws RecordError `no-record`, `record-unreadable`.
 */
export async function openIndex(
  recordFile: string,
  path: string,
): Promise<{ readonly database: DatabaseSync; readonly update: IndexUpdate }> {
  const there = openExisting(path);
  if (there !== undefined) {
    try {
      const { added, intact } = await transact(there, () => update(there, recordFile));
      return { database: there, update: { added, rebuilt: false, intact } };
    } catch (error) {
      there.close();
      if (!isDatabaseError(error)) throw error;
    }
  }
  return build(recordFile, path);
}

/** Fills a new index beside the old one and puts it in its place. */
async function build(
  recordFile: string,
  path: string,
): Promise<{ readonly database: DatabaseSync; readonly update: IndexUpdate }> {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const database = new DatabaseSync(temporary);
  try {
    chmodSync(temporary, 0o600);
    // Worth nothing until it is finished, so it need not survive anything.
    database.exec(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;",
    );
    database.exec(TABLES);
    const { added, intact } = await transact(database, () => update(database, recordFile));
    database.exec(INDEXES);
    database.exec(`ANALYZE; PRAGMA user_version = ${INDEX_VERSION};`);
    database.close();
    for (const old of [`${path}-wal`, `${path}-shm`]) rmSync(old, { force: true });
    renameSync(temporary, path);
    const opened = openExisting(path);
    if (opened === undefined) throw new Error("the index just made can't be opened");
    return { database: opened, update: { added, rebuilt: true, intact } };
  } catch (error) {
    if (database.isOpen) database.close();
    rmSync(temporary, { force: true });
    throw error;
  }
}

function openExisting(path: string): DatabaseSync | undefined {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const database = new DatabaseSync(path);
  try {
    chmodSync(path, 0o600);
    database.exec(
      `PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
       PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 4294967296;`,
    );
    const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
    if (version === INDEX_VERSION) return database;
  } catch {
    // Not a database, or of another time: made anew.
  }
  database.close();
  return undefined;
}

async function transact<T>(database: DatabaseSync, work: () => Promise<T>): Promise<T> {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = await work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

async function update(
  database: DatabaseSync,
  recordFile: string,
): Promise<{ added: number; intact: boolean }> {
  const writer = new IndexWriter(database);
  const known = new Map<number, Known>();
  for (const row of database.prepare("SELECT * FROM file").all())
    known.set(Number(row["first"]), row as unknown as Known);
  using files = openRecord(recordNames(recordFile));
  const listed = new Map(files.map((file) => [firstOf(file), file]));
  for (const [first, { id }] of known) {
    if (listed.has(first)) continue;
    writer.drop(id);
    known.delete(first);
  }
  let added = 0;
  let before = GENESIS;
  let intact = true;
  for (const [first, file] of listed) {
    if (first === undefined) continue;
    let row = known.get(first);
    if (row !== undefined && !continues(file, row)) {
      writer.drop(row.id);
      row = undefined;
    }
    if (row?.stat?.startsWith("plain ") === true && file.coding !== "plain") {
      // Compressed since: the broker compares the two before it removes the plain one.
      saveFile(database, row, file);
    } else if (row === undefined || (!isWhole(file, row) && row.bytes < sizeOf(file))) {
      row ??= addFile(database, first, before);
      added += await readOn(writer, file, row, first === 1 || before !== GENESIS);
      saveFile(database, row, file);
    }
    before = row.hash;
    intact &&= row.intact === 1;
  }
  writer.flush();
  return { added, intact };
}

/** Reads the lines that are not yet in the index. */
async function readOn(
  writer: IndexWriter,
  file: RecordFile,
  row: Known,
  chained: boolean,
): Promise<number> {
  const plain = file.coding === "plain";
  // Of a compressed file what is known already has to be read over.
  let skip = plain ? 0 : row.lines;
  let added = 0;
  for await (const { lines } of readLines(file, plain ? row.bytes : 0)) {
    for (const text of lines) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      row.lines += 1;
      row.bytes += text.length + 1;
      const line = readSealedLine(text);
      if (line === undefined) {
        row.intact = 0;
        continue;
      }
      const { seq, hash, body } = line;
      if ((chained || row.lines > 1) && hashBody(row.hash, body) !== hash) row.intact = 0;
      if (row.seq > 0 && seq !== row.seq + 1) row.intact = 0;
      row.seq = seq;
      row.hash = hash;
      writer.add(row.id, seq, text);
      added += 1;
    }
  }
  return added;
}

/** Whether what was indexed of this file still stands in it as it was. */
function continues(file: RecordFile, row: Known): boolean {
  if (file.coding !== "plain")
    return row.stat === null || row.stat.startsWith("plain ") || row.stat === statText(file);
  if (row.bytes === 0) return true;
  if (sizeOf(file) < row.bytes) return false;
  if (file.fd === undefined) return row.stat === null || row.stat === statText(file);
  const window = Buffer.alloc(Math.min(row.bytes, 20_000));
  const got = readSync(file.fd, window, 0, window.length, row.bytes - window.length);
  const text = window.toString("latin1", 0, got);
  if (!text.endsWith("\n")) return false;
  return (
    readSealedLine(text.slice(text.lastIndexOf("\n", text.length - 2) + 1, -1))?.hash === row.hash
  );
}

function isWhole(file: RecordFile, row: Known): boolean {
  return row.stat !== null && row.stat === statText(file);
}

/** Number of a file's first line; undefined as long as it has none. */
function firstOf(file: RecordFile): number | undefined {
  if (file.first !== undefined || file.fd === undefined) return file.first;
  const bytes = Buffer.alloc(64);
  const got = readSync(file.fd, bytes, 0, bytes.length, 0);
  const seq = /^\{"seq":(\d{1,15}),/.exec(bytes.toString("latin1", 0, got))?.[1];
  return seq === undefined ? undefined : Number(seq);
}

function addFile(database: DatabaseSync, first: number, before: string): Known {
  const id = Number(
    database
      .prepare(
        "INSERT INTO file (first, lines, bytes, seq, hash, intact) VALUES (?, 0, 0, 0, ?, 1)",
      )
      .run(first, before).lastInsertRowid,
  );
  return { id, first, lines: 0, bytes: 0, seq: 0, hash: before, intact: 1, stat: null };
}

/** A file that is not written to any more is known by its size and time from then on. */
function saveFile(database: DatabaseSync, row: Known, file: RecordFile): void {
  row.stat = file.current ? null : statText(file);
  database
    .prepare(
      "UPDATE file SET lines = ?, bytes = ?, seq = ?, hash = ?, intact = ?, stat = ? WHERE id = ?",
    )
    .run(row.lines, row.bytes, row.seq, row.hash, row.intact, row.stat, row.id);
}

function statText({ path, coding }: RecordFile): string {
  const { size, mtimeMs } = statSync(path);
  return `${coding} ${size} ${mtimeMs}`;
}

/** For a compressed file that is not known as a whole: more than any number of bytes. */
function sizeOf(file: RecordFile): number {
  if (file.coding !== "plain") return Infinity;
  return file.fd === undefined ? statSync(file.path).size : fstatSync(file.fd).size;
}

function isDatabaseError(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}
