import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { SecretError } from "./SecretError.ts";

/** Built by native/; see native/private.c. */
export const PRIVATE_ADDON = fileURLToPath(new URL("../../build/private.node", import.meta.url));

/**
 * On macOS does nothing: no process of another user's gets at another's memory there (task_for_pid() in
 * XNU's bsd/vm/vm_unix.c), Seatbelt refuses it to bots, and there are no core dumps unless a limit is raised.
 * Elsewhere it makes this process's memory unreadable to every other one but root's, and core dumps impossible.
 * For whatever holds secrets, before it does.
 *
 * @throws SecretError `unprotected`
 */
export function protectMemory(platform = process.platform): void {
  if (platform === "darwin") return;
  try {
    process.dlopen({ exports: {} }, PRIVATE_ADDON, constants.dlopen.RTLD_NOW);
  } catch {
    throw new SecretError("unprotected", "this process's memory can't be kept from others", {
      hint: "build native/ with: ./dev setup",
    });
  }
}
