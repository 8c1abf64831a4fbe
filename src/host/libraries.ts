import { existsSync, lstatSync, readlinkSync } from "node:fs";
import type { Mount } from "../wall/index.ts";

/** Where Linux distributions keep shared libraries and the program that loads them (ld.so(8)). */
const FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32"];

/** The library folders of this host, links among them left out. */
export function libraryFolders(): string[] {
  return FOLDERS.filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink());
}

/** The same inside a wall, links made anew (`/lib` is `usr/lib` on most systems). */
export function libraryMounts(): Mount[] {
  return FOLDERS.filter((path) => existsSync(path)).map((path) =>
    lstatSync(path).isSymbolicLink()
      ? { kind: "link", to: path, target: readlinkSync(path) }
      : { kind: "read", from: path, to: path },
  );
}
