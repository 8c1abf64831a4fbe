import { createHash } from "node:crypto";
import { lstatSync, readdirSync, type BigIntStats } from "node:fs";

/** What `lstat` says about a whole tree, condensed. */
export interface TreeStamp {
  /** Over everything below the root. */
  readonly entries: string;
  /** Over the root itself, whose change time moves when the tree is renamed into place. */
  readonly root: string;
  /** The latest change time of anything in the tree, nanoseconds since the epoch. */
  readonly newest: bigint;
}

/**
 * Fingerprints a tree without reading file contents: path, kind and mode, owner, inode, size,
 * modification and change time of every entry. 41,000 entries take about 0.4 s.
 *
 * An equal stamp means an unchanged tree as long as nobody could write the tree behind the file
 * system's back or set the clock: the change time (ctime) moves with every write, rename, chmod and
 * link, and no system call sets it (inode(7)). Both take root, who needs no trick to lie to us.
 *
 * @throws the file system's own error when an entry can't be read.
 */
export function treeStamp(root: string): TreeStamp {
  const hash = createHash("sha256");
  const top = lstatSync(root, { bigint: true });
  let newest = top.ctimeNs;
  const visit = (folder: Buffer, prefix: string): void => {
    // One character per byte: names need not be valid UTF-8, and this is the same order everywhere.
    for (const name of readdirSync(folder, "latin1").toSorted()) {
      const path = Buffer.concat([folder, SLASH, Buffer.from(name, "latin1")]);
      const stat = lstatSync(path, { bigint: true });
      hash.update(`${prefix}${name}\0${line(stat)}\0`);
      if (stat.ctimeNs > newest) newest = stat.ctimeNs;
      if (stat.isDirectory()) visit(path, `${prefix}${name}/`);
    }
  };
  visit(Buffer.from(root), "");
  return {
    entries: hash.digest("hex"),
    root: createHash("sha256").update(line(top)).digest("hex"),
    newest,
  };
}

const SLASH = Buffer.from("/");

function line(stat: BigIntStats): string {
  return [
    stat.dev,
    stat.ino,
    stat.mode,
    stat.uid,
    stat.gid,
    stat.nlink,
    stat.size,
    stat.mtimeNs,
    stat.ctimeNs,
  ].join(" ");
}
