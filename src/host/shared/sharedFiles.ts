import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { writeFileAtomic } from "../../files/index.ts";
import type { InsidePaths } from "../../openclaw/index.ts";
import type { BotGeneration, Programs } from "../Generation.ts";
import { HostError } from "../HostError.ts";
import type { SharedFolders } from "./sharedInside.ts";

/**
 * Writes what a bot is told where it can be read and, by Landlock and for another uid also by its mode, not
 * written. Nothing in it is secret: phantoms and tokens go by the environment. Also makes its folder for
 * temporary files.
 *
 * @param uid of the bot, when this runs as root.
 * @returns the file with the CAs.
 */
export function writeTold(
  { told, temporary }: SharedFolders,
  options: {
    readonly inside: InsidePaths;
    readonly bot: BotGeneration;
    readonly programs: Pick<Programs, "shell">;
    /** PEM text. */
    readonly trust: string;
    readonly uid: number | undefined;
  },
): string {
  const { inside, bot, programs, trust, uid } = options;
  const parent = dirname(told);
  for (const folder of [dirname(parent), parent]) {
    // Passed through by bots with uids of their own.
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, uid === undefined ? 0o700 : 0o711);
  }
  if (!existsSync(temporary)) {
    mkdirSync(temporary, { mode: 0o700 });
    if (uid !== undefined) lchownSync(temporary, uid, uid);
  }
  if (!existsSync(told)) {
    const half = `${told}.half`;
    rmSync(half, { recursive: true, force: true });
    mkdirSync(half, { mode: 0o755 });
    const at = (path: string): string => join(half, path.slice(told.length));
    for (const folder of [inside.config, inside.commands]) mkdirSync(at(folder), { mode: 0o755 });
    for (const { to, text } of bot.rendered.files) {
      mkdirSync(dirname(at(to)), { recursive: true, mode: 0o755 });
      writeFileSync(at(to), text, { mode: 0o444 });
    }
    for (const [name, path] of commandsOf(bot, programs))
      symlinkSync(path, join(at(inside.commands), name));
    renameSync(half, told);
  }
  const hash = createHash("sha256").update(trust).digest("hex").slice(0, 16);
  const cas = join(told, `${hash}-${basename(inside.caBundle)}`);
  if (!existsSync(cas)) writeFileAtomic(cas, trust, 0o444);
  // By the umask of whoever runs this they may be less readable.
  chmodSync(told, 0o755);
  return cas;
}

/** The granted commands, and the shell that OpenClaw runs each through. */
export function commandsOf(
  { commands }: Pick<BotGeneration, "commands">,
  { shell }: Pick<Programs, "shell">,
): ReadonlyMap<string, string> {
  const granted = commands.map(({ name, path }) => [name, path] as const);
  return new Map(commands.length === 0 ? [] : [["sh", shell], ...granted]);
}

/** What was told to bots that don't run any more. */
export function forgetTold(told: string, bots: readonly string[]): void {
  for (const bot of bots) rmSync(join(told, bot), { recursive: true, force: true });
}

/**
 * The folder in /tmp that OpenClaw keeps the locks of its databases in, by uid and whatever it is told
 * (2026.9.6). Anybody may have made something there before.
 *
 * @throws HostError `no-access` unless it is a folder that only this uid writes to.
 */
export function makeLocks(uid: number | undefined): string {
  const owner = uid ?? process.getuid?.() ?? 0;
  const folder = `/tmp/openclaw-state-locks-${owner}`;
  try {
    mkdirSync(folder, { mode: 0o700 });
    if (uid !== undefined) lchownSync(folder, uid, uid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === owner && (found.mode & 0o022) === 0) return folder;
  throw new HostError("no-access", `"${folder}" is somebody else's`, {
    hint: "OpenClaw keeps its locks there; remove it, as root if need be",
  });
}
