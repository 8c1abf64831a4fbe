import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/index.ts";
import { HostError } from "./HostError.ts";
import type { StatePaths } from "./statePaths.ts";

const KEY_BYTES = 32;

/** The key that phantoms are derived from. Made once; it never enters a wall. */
export function phantomKey(paths: StatePaths): Uint8Array {
  return Buffer.from(readOrMake(paths.phantomKey), "hex");
}

/** The token that callers of a bot's gateway need. Made once for each bot; the bot knows its own. */
export function gatewayToken(paths: StatePaths, bot: string): string {
  mkdirSync(paths.tokens, { recursive: true, mode: 0o700 });
  return readOrMake(gatewayTokenFile(paths, bot));
}

/** Where a bot's token is kept, for a person to find it. */
export function gatewayTokenFile(paths: StatePaths, bot: string): string {
  return join(paths.tokens, bot);
}

/** 32 random bytes in hexadecimal, in a file only its owner may read. */
function readOrMake(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    text = randomBytes(KEY_BYTES).toString("hex");
    writeFileAtomic(file, `${text}\n`, 0o600);
    return text;
  }
  const { mode } = lstatSync(file);
  if ((mode & 0o077) !== 0) {
    throw new HostError("damaged-state", "a key of this deployment can be read by others", {
      where: file,
      hint: `type: chmod 600 ${file}`,
    });
  }
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new HostError("damaged-state", "a key of this deployment is damaged", {
      where: file,
      hint: "restore it from a backup, or remove it: a new one is made and bots get new phantoms",
    });
  }
  return text;
}
