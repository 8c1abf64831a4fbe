import { lstatSync } from "node:fs";

/** Where Linux distributions keep shared libraries and the program that loads them (ld.so(8)). */
const FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32"];

/** Those of this host, links among them left in: whoever shows them follows links. */
export function libraryFolders(): string[] {
  return FOLDERS.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
}
