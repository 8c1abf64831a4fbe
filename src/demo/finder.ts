import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { basename } from "node:path";
import { compileNeedles, type NamedValue } from "./compileNeedles.ts";
import { isGone, reasonOf, Search, type Found } from "./Search.ts";
import { SearchedFiles, searchFiles } from "./searchFiles.ts";
import { searchMemory } from "./searchMemory.ts";

/** What was searched, what was found there, and what could not be searched. */
export interface FinderReport {
  readonly processes: number;
  readonly bytesOfMemory: number;
  readonly files: number;
  readonly environments: number;
  readonly found: readonly Found[];
  /** Each place and the reason, as `memory of pid 12 (node): permission denied`. */
  readonly unread: readonly string[];
}

const REPORT_EVERY_MS = 2000;

/**
 * Looks for real values in everything a set of processes has: environments, arguments, memory, open
 * files, and all files in their mount namespaces, in every spelling of `compileNeedles`. Reads only;
 * the processes go on running, so what moves in memory during the search may be missed.
 *
 * Takes the rights of the processes' owner (their namespaces' owner) or root: what these rights don't
 * suffice for is listed in `unread`, nothing is left out silently. This process itself, which holds
 * the values, is not searched.
 *
 * @param pids as this process sees them, see `processesInside`
 * @param onProgress told in words, every other second or so
 * @throws DemoError `bad-value` for a value too short to search for
 */
export async function findValues({
  pids,
  values,
  onProgress = () => undefined,
}: {
  readonly pids: readonly number[];
  readonly values: readonly NamedValue[];
  readonly onProgress?: (text: string) => void;
}): Promise<FinderReport> {
  const search = new Search(compileNeedles(values));
  const files = new SearchedFiles();
  const sum = { processes: 0, bytesOfMemory: 0, environments: 0 };
  let reported = performance.now();
  const report = (): void => {
    if (performance.now() - reported < REPORT_EVERY_MS) return;
    reported = performance.now();
    const megabytes = Math.round(sum.bytesOfMemory / 1e6);
    onProgress(
      `searched ${sum.processes} processes, ${megabytes} MB of memory, ${files.count} files`,
    );
  };
  const labels = new Map<number, string>();
  for (const pid of new Set(pids)) {
    const label = labelOf(pid);
    if (pid === process.pid) search.skip(`process ${pid}`, "it is the one that searches");
    else if (label !== undefined) labels.set(pid, label);
  }
  // Memory first: it is what changes.
  for (const [pid, label] of labels) {
    sum.processes++;
    if (searchProcFile(search, pid, "environ", `environment of ${label}`)) sum.environments++;
    searchProcFile(search, pid, "cmdline", `arguments of ${label}`);
    sum.bytesOfMemory += await searchMemory(search, pid, label);
    report();
  }
  for (const [pid, label] of labels) await searchFiles(search, files, pid, label, report);
  search.end();
  const unread = search.unread.map(({ where, why }) => `${where}: ${why}`);
  return { ...sum, files: files.count, found: search.found, unread };
}

function labelOf(pid: number): string | undefined {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    // Node 24 names its main thread so, which tells nobody anything.
    if (name !== "MainThread") return `pid ${pid} (${name})`;
    return `pid ${pid} (${basename(readlinkSync(`/proc/${pid}/exe`))})`;
  } catch {
    return undefined;
  }
}

/** Whether the file could be read, be it empty. */
function searchProcFile(search: Search, pid: number, name: string, where: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(`/proc/${pid}/${name}`, "r");
    const descriptor = file;
    search.begin();
    const read = (into: Uint8Array, offset: number, length: number): number =>
      readSync(descriptor, into, offset, length, null);
    search.searchThrough(read, () => where, Number.POSITIVE_INFINITY);
    return true;
  } catch (error) {
    if (!isGone(error)) search.skip(where, reasonOf(error));
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
