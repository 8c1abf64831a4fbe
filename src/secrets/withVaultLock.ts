import { chmod } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { SecretError } from "./SecretError.ts";
import { diskError } from "./writePrivateFile.ts";

/** https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;
const POLL_MS = 25;

/**
 * Runs `work` while holding the lock at `file`, which keeps out other processes and other callers in
 * this one. SQLite takes it with fcntl(2) locks, so the kernel drops it when the holder dies,
 * however it dies; a file with a pid in it would stay. The file itself stays empty.
 *
 * @param waitMs how long to wait for another holder
 * @throws SecretError `busy` after that time, `disk` when the lock file can't be made
 */
export async function withVaultLock<T>(
  file: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const { DatabaseSync } = await import("node:sqlite");
  const deadline = performance.now() + waitMs;
  let database: InstanceType<typeof DatabaseSync>;
  try {
    database = new DatabaseSync(file);
    // By path: opening and closing the file ourselves would drop this process's locks (fcntl(2)).
    await chmod(file, 0o600);
  } catch (cause) {
    throw diskError(file, cause);
  }
  try {
    // Tried again from here, since SQLite's own waiting would stop the whole process, and with it
    // perhaps the one that holds the lock.
    while (!tryLock(database, file)) {
      if (performance.now() >= deadline) {
        throw new SecretError("busy", "another process is writing to the vault", {
          hint: `wait for it; to see which one holds the lock: fuser ${file}`,
        });
      }
      await wait(POLL_MS);
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: { exec(sql: string): void }, file: string): boolean {
  try {
    // No journal on disk: it would need room there, and stay behind when the holder is killed.
    database.exec("PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw diskError(file, cause);
  }
}
