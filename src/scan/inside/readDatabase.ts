import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A value of a database, with the place it has there. */
export interface Cell {
  readonly table: string;
  /** From 1, in the order of the table. */
  readonly row: number;
  readonly column: string;
  readonly bytes: Buffer;
  readonly text: boolean;
}

/** The first bytes of every SQLite 3 file (https://www.sqlite.org/fileformat.html). */
export const SQLITE_MAGIC = Buffer.from("SQLite format 3\0");

/** A database is copied into the wall's memory. */
const LARGEST = 256 * 1024 * 1024;
const MOST_ROWS = 5_000_000;

/**
 * Every text and blob of a database, with what only its write-ahead log has yet. A copy is read,
 * because SQLite wants to write beside a file with a log. Views and triggers are never run, nor
 * tables that code of an extension would make up.
 *
 * @throws Error with a reason in words.
 */
export function* readDatabase(file: string): Generator<Cell> {
  const parts = ["", "-wal"].filter((end) => existsSync(file + end));
  const size = parts.reduce((sum, end) => sum + statSync(file + end).size, 0);
  if (size > LARGEST) throw new Error("the database is too large, its file was searched as it is");
  const folder = mkdtempSync("/tmp/database-");
  const copy = join(folder, "copy");
  try {
    for (const end of parts) copyFileSync(file + end, copy + end);
    yield* readCopy(copy);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function* readCopy(copy: string): Generator<Cell> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(copy, { allowExtension: false });
    database.exec("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA query_only=ON");
    const tables = database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type='table' AND sql NOT LIKE 'CREATE VIRTUAL%'",
      )
      .all() as { name: string }[];
    let rows = 0;
    for (const { name } of tables) {
      const select = database.prepare(`SELECT * FROM "${name.replaceAll('"', '""')}"`);
      select.setReadBigInts(true);
      let row = 0;
      for (const record of select.iterate()) {
        row++;
        if (++rows > MOST_ROWS) throw new Error("the database has too many rows");
        for (const [column, value] of Object.entries(record)) {
          if (typeof value === "string")
            yield { table: name, row, column, bytes: Buffer.from(value), text: true };
          else if (value instanceof Uint8Array)
            yield { table: name, row, column, bytes: Buffer.from(value), text: false };
        }
      }
    }
  } catch (error) {
    if (error instanceof Error && !("errcode" in error)) throw error;
    // SQLite's messages may quote the schema, which is the bot's.
    throw new Error("the database is damaged, its file was searched as it is", { cause: error });
  } finally {
    database?.close();
  }
}
