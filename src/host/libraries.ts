import { existsSync, lstatSync } from "node:fs";

/** Where Linux distributions keep shared libraries and the program that loads them (ld.so(8)). */
const FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32"];

/** The library folders of this host, links among them left out. */
export function libraryFolders(): string[] {
  return FOLDERS.filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink());
}
