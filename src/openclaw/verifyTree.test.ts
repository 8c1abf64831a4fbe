import { equal, notEqual } from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { narHash } from "./nar.ts";
import { treeStamp } from "./treeStamp.ts";
import { isStamped, stampRenamed, verifyTree } from "./verifyTree.ts";

interface Case {
  readonly tree: string;
  readonly hash: string;
  readonly stamp: string;
}

/** A tree that has been checked in full once and is stamped. */
async function stampedTree(t: TestContext): Promise<Case> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-verify-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tree = join(folder, "tree");
  mkdirSync(join(tree, "sub"), { recursive: true });
  writeFileSync(join(tree, "a"), "hello\n");
  writeFileSync(join(tree, "sub", "b"), "there\n");
  const hash = await narHash(tree);
  const stamp = join(folder, "tree.stamp");
  await stampRenamed(tree, treeStamp(tree), hash, stamp);
  equal(isStamped(tree, hash, stamp), true);
  return { tree, hash, stamp };
}

test("verifyTree() reads nothing when the stamp fits, and everything when there is none", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  let read = 0;
  const count = (): void => void read++;
  equal(await verifyTree(tree, hash, stamp, count), true);
  equal(read, 0);
  rmSync(stamp);
  equal(await verifyTree(tree, hash, stamp, count), true);
  equal(read, 2);
  equal(isStamped(tree, hash, stamp), true);
});

test("verifyTree() notices a byte changed in place with size and times put back", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  const file = join(tree, "sub", "b");
  const { atime, mtime } = statSync(file);
  writeFileSync(file, "their\n");
  utimesSync(file, atime, mtime);
  equal(isStamped(tree, hash, stamp), false);
  equal(await verifyTree(tree, hash, stamp), false);
});

test("verifyTree() notices a file added, a file removed, a file replaced and an executable bit", async (t) => {
  const tampers: ((tree: string) => void)[] = [
    (tree) => writeFileSync(join(tree, "sub", "c"), ""),
    (tree) => rmSync(join(tree, "a")),
    (tree) => {
      writeFileSync(join(tree, "..", "evil"), "evil!\n");
      renameSync(join(tree, "..", "evil"), join(tree, "a"));
    },
    (tree) => chmodSync(join(tree, "a"), 0o755),
    (tree) => rmSync(tree, { recursive: true }),
  ];
  for (const tamper of tampers) {
    const { tree, hash, stamp } = await stampedTree(t);
    tamper(tree);
    equal(await verifyTree(tree, hash, stamp), false);
  }
});

test("verifyTree() notices an entry of the root swapped with the root's modification time put back", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  const { atime, mtime } = statSync(tree);
  renameSync(join(tree, "a"), join(tree, "z"));
  utimesSync(tree, atime, mtime);
  equal(await verifyTree(tree, hash, stamp), false);
});

test("verifyTree() takes a tree back that was touched but not changed", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  utimesSync(join(tree, "a"), 1, 1);
  equal(isStamped(tree, hash, stamp), false);
  equal(await verifyTree(tree, hash, stamp), true);
});

test("verifyTree() never takes a stamp for another hash, or a damaged one", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  const other = hash.replace(/.(?==)/, (last) => (last === "A" ? "E" : "A"));
  notEqual(other, hash);
  equal(await verifyTree(tree, other, stamp), false);
  const whole = readFileSync(stamp, "utf8");
  for (const damaged of ["", "{", "null", whole.slice(0, 40)]) {
    writeFileSync(stamp, damaged);
    equal(isStamped(tree, hash, stamp), false);
  }
  equal(await verifyTree(tree, hash, stamp), true);
});

test("stampRenamed() survives the rename of the root and keeps the stamp to its owner", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  const hashed = treeStamp(tree);
  const moved = `${tree}-moved`;
  renameSync(tree, moved);
  equal(isStamped(moved, hash, stamp), treeStamp(moved).root === hashed.root);
  await stampRenamed(moved, hashed, hash, stamp);
  equal(isStamped(moved, hash, stamp), true);
  equal(lstatSync(stamp).mode & 0o777, 0o600);
});

test("stampRenamed() leaves no stamp when the tree is not the one that was hashed", async (t) => {
  const { tree, hash, stamp } = await stampedTree(t);
  const hashed = treeStamp(tree);
  rmSync(stamp);
  writeFileSync(join(tree, "sub", "late"), "");
  await stampRenamed(tree, hashed, hash, stamp);
  equal(isStamped(tree, hash, stamp), false);
});
