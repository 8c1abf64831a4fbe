import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What a deployment that has ended must not have left. */

/** Which of the sockets, and which mounts below the folder, this host still has. */
export function traces(folder: string, sockets: ReadonlySet<string>): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(folder));
  return [...abstractSockets().values()].filter((name) => sockets.has(name)).concat(mounts);
}

/** Names of the abstract Unix sockets that a process holds. */
export function socketsOf(pid: number): ReadonlySet<string> {
  const all = abstractSockets();
  const held = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    } catch {
      return undefined;
    }
  });
  return new Set(held.flatMap((inode) => all.get(inode ?? "") ?? []));
}

function abstractSockets(): ReadonlyMap<string, string> {
  const lines = readFileSync("/proc/net/unix", "utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [inode, name] = line.split(/\s+/).slice(6);
      return inode !== undefined && name?.startsWith("@") === true ? [[inode, name]] : [];
    }),
  );
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

export async function ends(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (!isAlive(pid)) return;
    // Given up to ten seconds: the kernel ends a whole namespace one process at a time.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`process ${pid} is still there: ${readdirSync(`/proc/${pid}/task`).length} threads`);
}
