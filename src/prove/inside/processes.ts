import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import type { Field } from "../Field.ts";
import { MARKER } from "./findings.ts";

/** Every process to attack: those that can be seen, and those outside by the pids they have there. */
export function targets({ processes, neighbour }: Field): number[] {
  const seen = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const named = [...processes.map(({ pid }) => pid), ...neighbour.pids];
  return [...new Set([...named, ...seen])].filter((pid) => !isOwn(pid));
}

/** This process itself and what it started. A named pid that means somebody else in here counts as theirs. */
function isOwn(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    return new RegExp(`^PPid:\\s*${process.pid}$`, "m").test(
      readFileSync(`/proc/${pid}/status`, "utf8"),
    );
  } catch {
    return false;
  }
}

/** Whether a file has a marker in it, read in blocks up to `most` bytes. Throws what open(2) gives. */
export function fileHasMarker(path: string, most = 16 << 20): boolean {
  const fd = openSync(path, "r");
  try {
    const block = Buffer.alloc(1 << 20);
    for (let at = 0; at < most; at += block.length - 64) {
      const read = readSync(fd, block, 0, block.length, at);
      if (MARKER.test(block.toString("latin1", 0, read))) return true;
      if (read < block.length) return false;
    }
    return false;
  } finally {
    closeSync(fd);
  }
}

/** Whether a marker is in the memory of a process. Throws what open(2) gives. */
export function memoryHasMarker(pid: number): boolean {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
  const fd = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const [, from = "", to = ""] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
      const block = Buffer.alloc(Math.min(end - start, 8 << 20));
      try {
        const read = readSync(fd, block, 0, block.length, start);
        if (MARKER.test(block.toString("latin1", 0, read))) return true;
      } catch {
        // A mapping that can't be read, as of a device.
      }
    }
    return false;
  } finally {
    closeSync(fd);
  }
}
