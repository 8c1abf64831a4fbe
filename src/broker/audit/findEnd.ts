import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import {
  GENESIS,
  hashBody,
  readSealedLine,
  type RotatedFile,
  type SealedLine,
} from "../../record/index.ts";

const WINDOW = 256 * 1024;

/** Where the chain of a file ends. */
export interface ChainEnd {
  /** The last line that follows from the one before it. */
  readonly last: SealedLine;
  /** Byte after that line and its line feed. */
  readonly end: number;
}

/**
 * The last good line of an open file of the record, found from behind: a line whose hash follows from the
 * line before it. What stands after it is damage.
 *
 * @param size bytes of whole lines.
 */
export function findEnd(fd: number, size: number): ChainEnd | undefined {
  for (let window = WINDOW; ; window *= 8) {
    const start = Math.max(0, size - window);
    const bytes = Buffer.alloc(size - start);
    const got = readSync(fd, bytes, 0, bytes.length, start);
    const found = lastGood(bytes.toString("latin1", 0, got), start);
    if (found !== undefined || start === 0) return found;
  }
}

/** The last line of a file that was put aside; `undefined` when it can't be read. */
export function findRotatedEnd(file: RotatedFile): ChainEnd | undefined {
  try {
    if (file.coding === "plain") {
      const fd = openSync(file.path, "r");
      try {
        return findEnd(fd, fstatSync(fd).size);
      } finally {
        closeSync(fd);
      }
    }
    // Not loaded where nothing is compressed; import() would not be synchronous.
    const zlib = process.getBuiltinModule("node:zlib");
    const packed = readFileSync(file.path);
    const bytes =
      file.coding === "zstd" ? zlib.zstdDecompressSync(packed) : zlib.gunzipSync(packed);
    return lastGood(bytes.toString("latin1"), 0);
  } catch {
    return undefined;
  }
}

/** @param start byte of the file at which `text` begins; 0 says that its first line is the file's. */
function lastGood(text: string, start: number): ChainEnd | undefined {
  for (let end = text.lastIndexOf("\n"); end > 0;) {
    const begin = text.lastIndexOf("\n", end - 1) + 1;
    const line = readSealedLine(text.slice(begin, end));
    if (line !== undefined) {
      const before =
        begin === 0
          ? undefined
          : readSealedLine(text.slice(text.lastIndexOf("\n", begin - 2) + 1, begin - 1));
      // Of a file's first line only `verify`, which reads the file before it, can say more.
      const first = begin === 0 && start === 0;
      const right = first
        ? line.seq > 1 || hashBody(GENESIS, line.body) === line.hash
        : before !== undefined && hashBody(before.hash, line.body) === line.hash;
      if (right) return { last: line, end: start + end + 1 };
    }
    end = begin - 1;
  }
  return undefined;
}
