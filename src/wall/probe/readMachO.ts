import { closeSync, openSync, readSync } from "node:fs";
import { dirname, join } from "node:path";

// <mach-o/loader.h> and <mach-o/fat.h>
const MH_MAGIC_64 = 0xfeedfacf;
const FAT_MAGIC = 0xcafebabe;
const LC_LOAD_DYLIB = 0xc;
const LC_LOAD_WEAK_DYLIB = 0x80000018;
const LC_REEXPORT_DYLIB = 0x8000001f;
const LC_RPATH = 0x8000001c;
const CPU_TYPES: Readonly<Record<string, number>> = { x64: 0x01000007, arm64: 0x0100000c };
const HEADER_BYTES = 32;
/** More than any program's load commands take. */
const LARGEST = 1024 * 1024;

/** What a program or library of macOS says it needs. */
export interface MachO {
  /** Paths as they stand there: absolute, or beginning with @rpath, @loader_path or @executable_path. */
  readonly libraries: readonly string[];
  readonly rpaths: readonly string[];
}

/**
 * Reads a 64-bit Mach-O file, or that part of a universal one that is for this kind of processor.
 *
 * @returns undefined for what is no such file, or damaged.
 */
export function readMachO(path: string, arch: string = process.arch): MachO | undefined {
  const fd = openSync(path, "r");
  try {
    return readAt(fd, 0, arch);
  } catch (error) {
    // Cut short, or lying about its lengths.
    if (error instanceof RangeError) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, arch: string): MachO | undefined {
  const head = read(fd, offset, HEADER_BYTES);
  if (offset === 0 && head.readUInt32BE(0) === FAT_MAGIC) {
    const count = Math.min(head.readUInt32BE(4), 32);
    const slices = read(fd, 8, count * 20);
    for (let index = 0; index < count; index += 1)
      if (slices.readUInt32BE(index * 20) === CPU_TYPES[arch])
        return readAt(fd, slices.readUInt32BE(index * 20 + 8), arch);
    return undefined;
  }
  if (head.readUInt32LE(0) !== MH_MAGIC_64) return undefined;
  const commands = read(fd, offset + HEADER_BYTES, Math.min(head.readUInt32LE(20), LARGEST));
  const libraries: string[] = [];
  const rpaths: string[] = [];
  for (let at = 0; at + 8 <= commands.length;) {
    const kind = commands.readUInt32LE(at);
    const size = commands.readUInt32LE(at + 4);
    if (size < 8) return undefined;
    const text = (): string => textOf(commands.subarray(at, at + size));
    if ([LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB].includes(kind))
      libraries.push(text());
    if (kind === LC_RPATH) rpaths.push(text());
    at += size;
  }
  return { libraries, rpaths };
}

/** The string of a command, whose place stands after kind and size (union lc_str). */
function textOf(command: Buffer): string {
  const bytes = command.subarray(command.readUInt32LE(8));
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

function read(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
}

/**
 * Every library that programs need, theirs among them, but for the system's, which the profile has anyway
 * and which are no files any more.
 *
 * @param exists whether there is a file.
 */
export function machOLibraries(
  programs: readonly string[],
  {
    exists,
    load = readMachO,
  }: { exists: (path: string) => boolean; load?: (path: string) => MachO | undefined },
): string[] {
  const found = new Set<string>();
  const look = (file: string, program: string, inherited: readonly string[]): void => {
    const image = load(file);
    if (image === undefined) return;
    const place = (path: string): string =>
      path
        .replace(/^@loader_path(?=\/|$)/u, dirname(file))
        .replace(/^@executable_path(?=\/|$)/u, dirname(program));
    const rpaths = [...image.rpaths.map(place), ...inherited];
    for (const named of image.libraries) {
      const choices = named.startsWith("@rpath/")
        ? rpaths.map((folder) => join(folder, named.slice("@rpath/".length)))
        : [join(place(named))];
      const library = choices.find((path) => !isSystem(path) && exists(path));
      if (library === undefined || found.has(library)) continue;
      found.add(library);
      look(library, program, rpaths);
    }
  };
  for (const program of programs) look(program, program, []);
  return [...found].toSorted();
}

function isSystem(path: string): boolean {
  return path.startsWith("/usr/lib/") || path.startsWith("/System/");
}
