import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from "node:fs";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { RecordError } from "../RecordError.ts";
import { rotatedFiles, type RecordNames } from "../recordFiles.ts";

const CHUNK = 1024 * 1024;

/** One file of the record, as it was when the list was made. */
export interface RecordFile {
  readonly name: string;
  readonly path: string;
  readonly coding: "plain" | "zstd" | "gzip";
  /** The one that is still written to. */
  readonly current: boolean;
  /** The number in its name; undefined for the current one. */
  readonly first: number | undefined;
  /** Open, when it had to be opened before the list was made. */
  readonly fd?: number;
}

/** Lines one after the other, in portions of about a megabyte. */
export interface Lines {
  readonly lines: readonly string[];
  /** In the last portion: what stands after the last line feed. */
  readonly half: string;
}

/**
 * Lists the files of a record in the order of their lines, while a broker may write and rotate. The current
 * one is opened before the others are listed, so that none is missed or counted twice.
 *
 * @throws RecordError `no-record`.
 */
export function openRecord(names: RecordNames): readonly RecordFile[] & Disposable {
  const fd = openIfThere(names.current);
  let inode: bigint | undefined;
  const files: RecordFile[] = [];
  if (existsSync(names.folder)) {
    if (fd !== undefined) inode = fstatSync(fd, { bigint: true }).ino;
    for (const { name, path, coding, first } of rotatedFiles(names)) {
      // Rotated since it was opened.
      if (inode !== undefined && inodeOf(path) === inode) continue;
      files.push({ name, path, coding, current: false, first });
    }
  }
  if (fd !== undefined)
    files.push({
      name: basename(names.current),
      path: names.current,
      coding: "plain",
      current: true,
      first: undefined,
      fd,
    });
  if (files.length === 0)
    throw new RecordError("no-record", "there is no record here yet", {
      where: names.folder,
      hint: "it begins with the first: seawall up",
    });
  return Object.assign(files, {
    [Symbol.dispose]: (): void => {
      if (fd !== undefined) closeSync(fd);
    },
  });
}

/**
 * Reads a file's lines, decompressed. Bytes are read as latin1: only ASCII is right in a record.
 *
 * @param from byte to begin with; only of plain files.
 * @throws RecordError `record-unreadable`.
 */
export async function* readLines(file: RecordFile, from = 0): AsyncGenerator<Lines> {
  let rest = "";
  try {
    for await (const chunk of chunksOf(file, from)) {
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      yield { lines, half: "" };
    }
  } catch (cause) {
    throw new RecordError("record-unreadable", `"${file.name}" can't be read to its end`, {
      where: file.path,
      cause,
    });
  }
  if (rest !== "") yield { lines: [], half: rest };
}

async function* chunksOf(file: RecordFile, from: number): AsyncGenerator<Buffer> {
  if (file.fd !== undefined) {
    const chunk = Buffer.alloc(CHUNK);
    for (let at = from; ;) {
      const got = readSync(file.fd, chunk, 0, CHUNK, at);
      if (got === 0) return;
      at += got;
      yield chunk.subarray(0, got);
    }
  }
  // It may have been compressed since it was listed.
  const [path, coding] = existsSync(file.path)
    ? [file.path, file.coding]
    : existsSync(`${file.path}.zst`)
      ? [`${file.path}.zst`, "zstd" as const]
      : [`${file.path}.gz`, "gzip" as const];
  const bytes = createReadStream(path, { highWaterMark: CHUNK, start: from });
  if (coding === "plain") {
    yield* bytes as AsyncIterable<Buffer>;
    return;
  }
  const unpack = coding === "zstd" ? createZstdDecompress() : createGunzip();
  bytes.on("error", (error) => unpack.destroy(error));
  yield* gather(bytes.pipe(unpack));
}

/** zlib gives 16 KB at a time. */
async function* gather(stream: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
