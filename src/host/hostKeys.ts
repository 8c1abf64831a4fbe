import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/index.ts";
import { makeSigningKey } from "../record/index.ts";
import { HostError } from "./HostError.ts";
import type { StatePaths } from "../paths/index.ts";

const KEY_BYTES = 32;

/** The key that phantoms are derived from. Made once; it never enters a wall. */
export function phantomKey(paths: StatePaths): Uint8Array {
  return Buffer.from(readOrMake(paths.phantomKey), "hex");
}

/** The Ed25519 key (PEM) that the record's checkpoints are signed with. Made once; it never enters a bot's wall. */
export function signingKey(paths: StatePaths): string {
  return readOrMake(paths.auditKey, makeSigningKey, {
    right: /^-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+-----END PRIVATE KEY-----$/,
    loss: "a new one is made, and what the old one signed can be checked with its public key only",
  });
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

/** 32 random bytes in hexadecimal. */
const RANDOM = {
  right: /^[0-9a-f]{64}$/,
  loss: "a new one is made and bots get new phantoms",
};

/** The text of a file that only its owner may read. */
function readOrMake(
  file: string,
  make: () => string = () => randomBytes(KEY_BYTES).toString("hex"),
  { right, loss }: { readonly right: RegExp; readonly loss: string } = RANDOM,
): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    text = make().trim();
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
  if (!right.test(text)) {
    throw new HostError("damaged-state", "a key of this deployment is damaged", {
      where: file,
      hint: `restore it from a backup, or remove it: ${loss}`,
    });
  }
  return text;
}
