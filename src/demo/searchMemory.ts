import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { isGone, reasonOf, type Search } from "./Search.ts";

const PAGE = 4096;
/** Pages the kernel itself puts into every process; no process can write to them. */
const KERNEL_PAGES = new Set(["[vvar]", "[vvar_vclock]", "[vdso]", "[vsyscall]"]);
/** Reserved address space above this would take longer to look through than to tell about. */
const LARGEST_RESERVED = 64 * 2 ** 30;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly readable: boolean;
  /** Its bytes may exist although this process has not touched them: shared, or of a deleted file. */
  readonly held: boolean;
  readonly name: string;
}

/**
 * Searches the memory of a process, and returns how many bytes that was. `/proc/<pid>/pagemap` tells
 * which pages were ever touched (proc_pid_pagemap(5)); the others of private memory hold nothing, or
 * what is in their file, which is searched as a file. Touched pages that are not readable for the
 * process now are searched too: `/proc/<pid>/mem` gives them (proc_pid_mem(5)), and the process could
 * make them readable again.
 */
export async function searchMemory(search: Search, pid: number, label: string): Promise<number> {
  const where = `memory of ${label}`;
  let memory: number;
  let regions: Region[];
  try {
    regions = readRegions(readFileSync(`/proc/${pid}/maps`, "latin1"));
    memory = openSync(`/proc/${pid}/mem`, "r");
  } catch (error) {
    if (!isGone(error)) search.skip(where, reasonOf(error));
    return 0;
  }
  let pagemap: number | undefined;
  try {
    pagemap = openSync(`/proc/${pid}/pagemap`, "r");
  } catch {
    // Without it everything readable is read; slower, not less.
  }
  let total = 0;
  let last = -1;
  try {
    for (const region of regions) {
      if (KERNEL_PAGES.has(region.name)) continue;
      if (
        !region.readable &&
        (pagemap === undefined || region.end - region.start > LARGEST_RESERVED)
      ) {
        search.skip(
          `${where}, ${region.end - region.start} bytes not mapped readable`,
          "not readable",
        );
        continue;
      }
      for (const [start, end] of touched(region, pagemap)) {
        if (start !== last) search.begin();
        let at = start;
        const read = (into: Uint8Array, offset: number, length: number): number => {
          const got = readSync(memory, into, offset, Math.min(length, end - at), at);
          at += got;
          return got;
        };
        try {
          total += search.searchThrough(read, () => where, end - start);
          last = end;
        } catch (error) {
          // The region may have gone since it was listed; whatever else it is gets told.
          if (isGone(error)) return total;
          total += at - start;
          if (!stillMapped(pid, at)) continue;
          search.skip(
            `${where}, ${end - at} bytes${region.name === "" ? "" : ` of ${region.name}`}`,
            reasonOf(error),
          );
        }
        await search.rest();
      }
    }
  } finally {
    closeSync(memory);
    if (pagemap !== undefined) closeSync(pagemap);
  }
  return total;
}

/** proc_pid_maps(5): `start-end perms offset dev inode name`. */
function readRegions(maps: string): Region[] {
  return maps.split("\n").flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S)\S\S(\S) \S+ \S+ \d+ *(.*)$/.exec(line);
    if (match === null) return [];
    const [, start = "", end = "", read, share, name = ""] = match;
    return [
      {
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        readable: read === "r",
        held: share === "s" || name.endsWith(" (deleted)"),
        name,
      },
    ];
  });
}

/** The stretches of a region that may hold something, as [start, end). */
function touched(region: Region, pagemap: number | undefined): [number, number][] {
  const whole: [number, number][] = [[region.start, region.end]];
  if (pagemap === undefined || (region.readable && region.held)) return whole;
  const stretches: [number, number][] = [];
  const entries = Buffer.allocUnsafe(8 * 65536);
  let open = -1;
  for (let start = region.start; start < region.end; start += 65536 * PAGE) {
    const pages = Math.min(65536, (region.end - start) / PAGE);
    let got: number;
    try {
      got = readSync(pagemap, entries, 0, pages * 8, (start / PAGE) * 8);
    } catch {
      return region.readable ? whole : [];
    }
    for (let page = 0; page * 8 < got; page++) {
      // Bit 63: present; bit 62: swapped out.
      const used = ((entries[page * 8 + 7] ?? 0) & 0xc0) !== 0;
      const address = start + page * PAGE;
      if (used && open < 0) open = address;
      if (!used && open >= 0) {
        stretches.push([open, address]);
        open = -1;
      }
    }
  }
  if (open >= 0) stretches.push([open, region.end]);
  return stretches;
}

function stillMapped(pid: number, address: number): boolean {
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, "latin1");
    return readRegions(maps).some((region) => region.start <= address && address < region.end);
  } catch {
    return false;
  }
}
