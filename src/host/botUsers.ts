import { readFileSync } from "node:fs";
import { writeFileAtomic } from "../files/index.ts";
import { HostError } from "./HostError.ts";

/**
 * First uid for bots when Seawall runs as root. systemd's table of uids marks 1879048192 to
 * 2147483646 as unused: no distribution, container manager or user database hands them out.
 *
 * @see https://systemd.io/UIDS-GIDS/
 */
export const FIRST_UID = 1_879_100_000;

/**
 * Root of a container without its own range of uids can't start a bot as another user: setuid(2)
 * gives EINVAL for a uid that user_namespaces(7)'s map lacks.
 *
 * @throws HostError `no-bot-users`
 */
export function requireBotUsers(map: string = readFileSync("/proc/self/uid_map", "utf8")): void {
  const mapped = map.split("\n").some((line) => {
    const [first = Infinity, , count = 0] = line.trim().split(/\s+/).map(Number);
    return first <= FIRST_UID && FIRST_UID < first + count;
  });
  if (mapped) return;
  throw new HostError("no-bot-users", "root of this container has no users to give to bots", {
    hint: "run seawall as an ordinary user, or give the container the whole range of uids",
  });
}

/**
 * The uid of every bot that ever was, so that a new bot can never come to own what an old one
 * left. New names get the next number and are written down before they are used.
 *
 * @param file JSON object from bot to uid.
 */
export function assignUsers(file: string, bots: readonly string[]): ReadonlyMap<string, number> {
  const users = new Map(Object.entries(readUsers(file)));
  const fresh = bots.filter((bot) => !users.has(bot));
  if (fresh.length > 0) {
    let next = Math.max(FIRST_UID - 1, ...users.values()) + 1;
    for (const bot of fresh) users.set(bot, next++);
    writeFileAtomic(file, `${JSON.stringify(Object.fromEntries(users), null, 2)}\n`, 0o600);
  }
  return users;
}

function readUsers(file: string): Record<string, number> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  try {
    const users = JSON.parse(text) as Record<string, unknown>;
    if (
      Object.values(users).every((uid) => Number.isSafeInteger(uid) && Number(uid) >= FIRST_UID)
    ) {
      return users as Record<string, number>;
    }
  } catch {
    // Falls through: the same error for every kind of damage.
  }
  throw new HostError("damaged-state", `the list of the bots' users is damaged`, {
    where: file,
    hint: "restore it from a backup, or write it anew from the owners of the folders in bots/",
  });
}
