import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Transform } from "node:stream";
import { rotatedFiles, type RecordNames } from "../../record/index.ts";

/**
 * Compresses the files that were put aside, one after the other, in the background: zstd where Node has it
 * (22.15), else gzip. A file is replaced only once what was compressed has been read back, found to be
 * the same and synced; a crash at any point leaves the plain file, and it is done at the next start.
 */
export async function compressRotated(names: RecordNames): Promise<void> {
  for (const file of rotatedFiles(names)) if (file.coding === "plain") await compress(file.path);
}

async function compress(path: string): Promise<void> {
  const zlib = await import("node:zlib");
  const zstd = typeof zlib.createZstdCompress === "function";
  const target = `${path}${zstd ? ".zst" : ".gz"}`;
  const temporary = `${target}.tmp`;
  try {
    await rm(temporary, { force: true });
    const sum = createHash("sha256");
    await pipeline(
      createReadStream(path, { highWaterMark: 256 * 1024 }),
      async function* hashed(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          sum.update(chunk);
          yield chunk;
        }
      },
      zstd ? zlib.createZstdCompress() : zlib.createGzip(),
      createWriteStream(temporary, { mode: 0o600, flush: true }),
    );
    const unpack = zstd ? zlib.createZstdDecompress() : zlib.createGunzip();
    if ((await sumOf(temporary, unpack)) !== sum.digest("hex")) return;
    await rename(temporary, target);
    await syncFolder(folderOf(path));
    if (existsSync(target)) await rm(path);
  } catch {
    // No room, most likely: the plain file stays, and the next start or rotation tries again.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function sumOf(path: string, unpack: Transform): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), unpack, async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) sum.update(chunk);
  });
  return sum.digest("hex");
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}
