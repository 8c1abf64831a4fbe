import { closeSync, openSync, readSync } from "node:fs";

const PT_INTERP = 3;

/**
 * The ELF interpreter that `file` asks for (elf(5), PT_INTERP), as `/lib64/ld-linux-x86-64.so.2`.
 * Undefined if it asks for none, isn't a 64-bit little-endian ELF file, or can't be read.
 */
export function readInterpreter(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, "r");
    const head = readAt(fd, 0, 64);
    if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return undefined;
    const start = Number(head.readBigUInt64LE(32));
    const size = head.readUInt16LE(54);
    const table = readAt(fd, start, size * head.readUInt16LE(56));
    for (let at = 0; at + size <= table.length; at += size) {
      if (table.readUInt32LE(at) !== PT_INTERP) continue;
      const offset = Number(table.readBigUInt64LE(at + 8));
      const text = readAt(fd, offset, Math.min(4096, Number(table.readBigUInt64LE(at + 32))));
      return text.toString("utf8").replace(/\0.*$/su, "");
    }
    return undefined;
  } catch {
    // Whatever can't be read or parsed asks for no interpreter that we could name.
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, position));
}
