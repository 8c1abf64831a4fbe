import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where Linux distributions keep shared libraries and the program that loads them (ld.so(8)). */
const FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32"];

/** Those of this host, links among them left in: whoever shows them follows links. */
export function libraryFolders(): string[] {
  return FOLDERS.filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
}

/**
 * Folders with nothing but modules that the C library and OpenSSL load when a program asks for a
 * character set or a cipher; which of them, no file says. Looked for by name, since the folders
 * around them have thousands of others: OpenSSL's engines carry the number of its interface.
 */
const MODULES = ["gconv", "ossl-modules", "engines-1.1", "engines-3", "engines-4"];

export function moduleFolders(): string[] {
  const bases = ["/usr/lib", "/usr/lib64"].filter(isFolder);
  const machines = namesIn("/usr/lib").filter((name) => name.endsWith("-linux-gnu"));
  return [...bases, ...machines.map((name) => join("/usr/lib", name))].flatMap((folder) =>
    MODULES.map((name) => join(folder, name)).filter(isFolder),
  );
}

/** Of its own, and no link to one. */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function namesIn(folder: string): string[] {
  return isFolder(folder) ? readdirSync(folder) : [];
}
