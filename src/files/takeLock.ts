import { accessSync, chmodSync, closeSync, constants, existsSync, openSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
const POLL_MS = 25;

/** A lock that is held until it is disposed of or this process ends, however it ends. */
export interface Lock extends Disposable {
  release(): void;
}

/**
 * Takes the lock at `file`, which keeps out other processes and other callers in this one. SQLite
 * takes it with fcntl(2) locks, so the kernel drops it when its holder dies; a file with a pid in
 * it would stay. The file itself stays and stays empty.
 *
 * @param waitMs how long to wait for another holder.
 * @returns undefined when another still held it after that time.
 * @throws the system's error when the file can't be made.
 */
export async function takeLock(file: string, waitMs: number): Promise<Lock | undefined> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = openDatabase(() => new DatabaseSync(file), file);
  try {
    // By path: opening and closing the file ourselves would drop this process's locks (fcntl(2)).
    chmodSync(file, 0o600);
    const deadline = performance.now() + waitMs;
    // Tried again from here, since SQLite's own waiting would stop the whole process, and with it
    // perhaps the one that holds the lock.
    while (!tryLock(database)) {
      if (performance.now() >= deadline) {
        database.close();
        return undefined;
      }
      await wait(POLL_MS);
    }
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
  const release = (): void => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
}

/** SQLite says of every cause that it can't open the file; the system says which one it is. */
function openDatabase<T>(open: () => T, file: string): T {
  try {
    return open();
  } catch (error) {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    // Not when it is there: closing it would drop a lock of this process (fcntl(2)).
    else closeSync(openSync(file, "a", 0o600));
    throw error;
  }
}

function tryLock(database: { exec(sql: string): void }): boolean {
  try {
    // No journal on disk: it would need room there, and stay behind when the holder is killed.
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
