import { fdatasync, openSync, closeSync, fsyncSync, renameSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import type { RecordNames } from "../../record/index.ts";
import type { LineFile } from "./LineFile.ts";

const sync = promisify(fdatasync);

/** How long a line may be in the kernel's memory only. */
const GROUP_MS = 200;

/** What is to be made sure of. */
export interface Unsynced {
  readonly fds: readonly number[];
  /** Text of the head file that is true once these files are on the disk. */
  readonly head: string;
}

interface Retired {
  readonly file: LineFile;
  readonly synced?: () => void;
}

/**
 * Brings the record to the disk (fdatasync(2)) in groups, beside the calls: what is written within 200 ms is
 * synced together, and then the head file is replaced. One at a time; nothing waits for it.
 */
export class DiskSync {
  readonly #names: RecordNames;
  readonly #unsynced: () => Unsynced;
  readonly #settled: (error: Error | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #retired: Retired[] = [];
  #folderChanged = true;
  #closed = false;

  /** @param settled is told after each group whether the disk took it. */
  constructor(
    names: RecordNames,
    unsynced: () => Unsynced,
    settled: (error: Error | undefined) => void,
  ) {
    this.#names = names;
    this.#unsynced = unsynced;
    this.#settled = settled;
  }

  /** Something was written. */
  touch(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // One that still runs has begun before what was written since: this one comes after it.
      const before = this.#working ?? Promise.resolve();
      const working = before
        .then(() => this.#group())
        .finally(() => {
          if (this.#working === working) this.#working = undefined;
        });
      this.#working = working;
    }, GROUP_MS).unref();
  }

  /** Takes a file that is no longer written to: it is synced with the next group, then closed. */
  retire(file: LineFile, synced?: () => void): void {
    this.#retired.push({ file, ...(synced === undefined ? {} : { synced }) });
    this.#folderChanged = true;
    this.touch();
  }

  /** Syncs everything now, for the last time. @throws NodeJS.ErrnoException from fsync(2). */
  close(): void {
    clearTimeout(this.#timer);
    this.#closed = true;
    this.syncNow();
  }

  /** Syncs everything before it returns. @throws NodeJS.ErrnoException from fsync(2). */
  syncNow(): void {
    const { fds, head } = this.#unsynced();
    for (const fd of [...this.#retired.map(({ file }) => file.fd), ...fds]) fsyncSync(fd);
    this.#closeRetired(this.#retired);
    this.#retired = [];
    const next = `${this.#names.head}.last`;
    const fd = writeNew(next, head);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(next, this.#names.head);
    syncFolder(this.#names.folder);
  }

  /** Calls back when no group is being synced, at once if none is: then the files may be closed. */
  whenIdle(then: () => void): void {
    if (this.#working === undefined) then();
    else void this.#working.finally(then);
  }

  async #group(): Promise<void> {
    if (this.#closed) return;
    const { fds, head } = this.#unsynced();
    const retired = this.#retired;
    this.#retired = [];
    let failure: Error | undefined;
    try {
      // Rotated files first: the head must not name a line whose forerunners aren't on the disk.
      for (const { file } of retired) await sync(file.fd);
      for (const fd of fds) await sync(fd);
      if (this.#folderChanged) await this.#syncFolder();
      await this.#replaceHead(head);
    } catch (error) {
      failure = error instanceof Error ? error : new Error("the record can't be synced");
    }
    this.#closeRetired(retired);
    if (!this.#closed) this.#settled(failure);
  }

  async #replaceHead(text: string): Promise<void> {
    const next = `${this.#names.head}.next`;
    const fd = writeNew(next, text);
    try {
      await sync(fd);
    } finally {
      closeSync(fd);
    }
    // Synchronously, so that it can't come after the head that `close` writes.
    if (!this.#closed) renameSync(next, this.#names.head);
  }

  async #syncFolder(): Promise<void> {
    this.#folderChanged = false;
    await using folder = await open(this.#names.folder, "r");
    await folder.sync();
  }

  #closeRetired(retired: readonly Retired[]): void {
    for (const { file, synced } of retired) {
      file.close();
      synced?.();
    }
  }
}

function writeNew(path: string, text: string): number {
  const fd = openSync(path, "w", 0o600);
  try {
    writeSync(fd, text);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  fsyncSync(fd);
  closeSync(fd);
}
