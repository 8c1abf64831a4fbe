import { existsSync, lstatSync } from "node:fs";

/** Where Linux distributions keep shared libraries and the program that loads them (ld.so(8)). */
const FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32"];

const NIX_STORE = "/nix/store";

/** The library folders of this host, links among them left out. */
export function libraryFolders(): string[] {
  // Every profile has the system's, and names what a program of another origin needs.
  if (process.platform === "darwin") return [];
  const found = FOLDERS.filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink());
  // A Node of Nix's has its libraries beside it, each in a folder of its own.
  return process.execPath.startsWith(`${NIX_STORE}/`) ? [...found, NIX_STORE] : found;
}
