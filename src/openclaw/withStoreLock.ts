import { join } from "node:path";
import { takeLock } from "../files/index.ts";

/**
 * Runs `work` while no other process on this machine does the same for this store. The lock goes
 * away with its holder, however that ends.
 *
 * @param onWait called once when somebody else holds the lock.
 */
export async function withStoreLock<T>(
  store: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(store, ".lock");
  let lock = await takeLock(file, 0);
  if (lock === undefined) {
    onWait();
    lock = await takeLock(file, Infinity);
  }
  try {
    return await work();
  } finally {
    lock?.release();
  }
}
