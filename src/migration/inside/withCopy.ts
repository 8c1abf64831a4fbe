import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Works on a copy of a database, with its write-ahead log: SQLite wants to write beside a file that
 * has one, which a wall that only reads forbids.
 */
export function withCopy<T>(file: string, work: (database: DatabaseSync) => T): T {
  const folder = mkdtempSync("/tmp/database-");
  const copy = join(folder, "copy");
  try {
    for (const end of ["", "-wal"])
      if (existsSync(file + end)) copyFileSync(file + end, copy + end);
    const database = new DatabaseSync(copy, { allowExtension: false });
    try {
      database.exec("PRAGMA trusted_schema=OFF");
      return work(database);
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
