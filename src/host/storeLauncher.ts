import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../files/index.ts";
import { WallError } from "../wall/index.ts";
import { asDiskError } from "./HostError.ts";

/** What starts things behind a Seatbelt profile (sandbox-exec(1)). */
const SANDBOX_EXEC = "/usr/bin/sandbox-exec";

/**
 * Copies the launcher into the store, by content, since the folder of this project may be one that
 * a bot's user can't traverse. Gives its path there; on macOS that of the system's own.
 *
 * @throws WallError `launcher` when it isn't built.
 */
export function storeLauncher(store: string, platform = process.platform): string {
  if (platform === "darwin") return SANDBOX_EXEC;
  return storeBuilt(store, "seawall-launch", "the launcher");
}

/** The same of the program that client commands are; see native/client.c. */
export function storeClient(store: string): string {
  return storeBuilt(store, "seawall-client", "the client of the commands");
}

function storeBuilt(store: string, name: string, what: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileURLToPath(new URL(`../../build/${name}`, import.meta.url)));
  } catch (cause) {
    throw new WallError("launcher", `${what} isn't built`, {
      hint: "type: ./dev setup",
      cause,
    });
  }
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const folder = join(store, `${name}-${hash}`);
  const path = join(folder, name);
  if (existsSync(path) && readFileSync(path).equals(bytes)) return path;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    writeFileAtomic(path, bytes, 0o555);
  } catch (error) {
    throw asDiskError(error, what);
  }
  return path;
}
