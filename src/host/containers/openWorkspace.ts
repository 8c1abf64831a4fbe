import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** A folder that is held open: whatever is put in its place meanwhile, it is this one. */
export interface OpenFolder extends Disposable {
  readonly path: string;
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * Opens an agent's workspace. The bot writes its home, and may have put a link to anywhere in the place of any
 * folder in it: none is followed, and each is opened in the one before.
 *
 * @param home the bot's; nobody but Seawall writes what is above it.
 * @throws an error of the file system, or one that says whose it is
 */
export function openWorkspace(home: string, agent: string): OpenFolder {
  const opened: number[] = [];
  const open = (path: string): number => {
    const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    opened.push(fd);
    return fd;
  };
  try {
    // Node has no openat(2); the kernel's own link to a descriptor leads to what is open, not to its name.
    const root = open(home);
    const agents = open(`/proc/self/fd/${root}/agents`);
    const own = open(`/proc/self/fd/${agents}/${agent}`);
    const held = hold(own, join(home, "agents", agent));
    for (const fd of [root, agents]) closeSync(fd);
    return held;
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}

/** A folder whose path nobody else writes. @throws an error of the file system */
export function openFolder(path: string): OpenFolder {
  return hold(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
}

function hold(fd: number, path: string): OpenFolder {
  const { dev, ino, uid } = fstatSync(fd, { bigint: true });
  if (uid !== BigInt(process.getuid?.() ?? -1)) throw new Error("the folder is somebody else's");
  return { path, dev, ino, [Symbol.dispose]: () => closeSync(fd) };
}
