import { takeLock } from "../files/index.ts";
import { SecretError } from "./SecretError.ts";
import { diskError } from "./writePrivateFile.ts";

/**
 * Runs `work` while holding the lock at `file`, which keeps out other processes and other callers in
 * this one.
 *
 * @param waitMs how long to wait for another holder
 * @throws SecretError `busy` after that time, `disk` when the lock file can't be made
 */
export async function withVaultLock<T>(
  file: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  using lock = await takeLock(file, waitMs).catch((cause: unknown) => {
    throw diskError(file, cause);
  });
  if (lock === undefined) {
    throw new SecretError("busy", "another process is writing to the vault", {
      hint: `wait for it; to see which one holds the lock: fuser ${file}`,
    });
  }
  return await work();
}
