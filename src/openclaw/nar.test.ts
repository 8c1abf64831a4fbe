import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { hashPrefix, NarError, narHash } from "./nar.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "seawall-nar-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Files, an executable, a link, an empty file, an empty folder. */
function smallTree(t: TestContext): string {
  const tree = folder(t);
  writeFileSync(join(tree, "a"), "hello\n");
  writeFileSync(join(tree, "b.sh"), "#!/bin/sh\n");
  chmodSync(join(tree, "b.sh"), 0o755);
  symlinkSync("a", join(tree, "link"));
  mkdirSync(join(tree, "sub"));
  writeFileSync(join(tree, "sub", "empty"), "");
  return tree;
}

test("narHash() gives the hashes that Nix 2.8 gave for the same file and tree", async (t) => {
  const tree = smallTree(t);
  equal(await narHash(join(tree, "a")), "sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM=");
  equal(await narHash(tree), "sha256-5RB+0T4jfg348J2D14gBvrXAMU0Qekwj0jRyS0ydq8k=");
});

test("narHash() agrees with nix-hash on awkward names, sizes and modes", async (t) => {
  if (!hasNixHash()) {
    t.skip("nix-hash is not installed");
    return;
  }
  const tree = smallTree(t);
  // Sorted by bytes, not by locale or UTF-16: "Z" < "a" < "é" < "\u{ff5e}" < "\u{1f600}".
  for (const name of ["Z", "a.b", "a-b", "a b", "é", "\u{ff5e}", "\u{1f600}", "new\nline"]) {
    writeFileSync(join(tree, name), name);
  }
  writeFileSync(
    Buffer.concat([Buffer.from(`${tree}/bad-`), Buffer.from([0xff, 0xfe])]),
    "not UTF-8",
  );
  for (const size of [1, 7, 8, 9, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_003]) {
    writeFileSync(join(tree, "sub", `size-${size}`), Buffer.alloc(size, size));
  }
  writeFileSync(join(tree, "group-x"), "");
  chmodSync(join(tree, "group-x"), 0o654);
  mkdirSync(join(tree, "sub", "void"));
  symlinkSync("/nowhere/at/all", join(tree, "sub", "dangling"));
  const hex = execFileSync("nix-hash", ["--type", "sha256", tree], { encoding: "utf8" }).trim();
  equal(await narHash(tree), `sha256-${Buffer.from(hex, "hex").toString("base64")}`);
});

test("narHash() changes with a byte, a name, the executable bit, a link's target and a new file", async (t) => {
  const changes: ((tree: string) => void)[] = [
    (tree) => writeFileSync(join(tree, "a"), "hellO\n"),
    (tree) => chmodSync(join(tree, "a"), 0o744),
    (tree) => mkdirSync(join(tree, "sub", "more")),
    (tree) => writeFileSync(join(tree, ".hidden"), ""),
    (tree) => rmSync(join(tree, "sub", "empty")),
    (tree) => {
      rmSync(join(tree, "link"));
      symlinkSync("b.sh", join(tree, "link"));
    },
  ];
  const seen = new Set([await narHash(smallTree(t))]);
  for (const change of changes) {
    const tree = smallTree(t);
    change(tree);
    seen.add(await narHash(tree));
  }
  equal(seen.size, changes.length + 1);
});

test("narHash() does not depend on times or on modes other than the owner's executable bit", async (t) => {
  const one = smallTree(t);
  const other = smallTree(t);
  chmodSync(join(other, "a"), 0o400);
  chmodSync(join(other, "sub"), 0o700);
  equal(await narHash(one), await narHash(other));
});

test("narHash() refuses what has no NAR instead of waiting for it", async (t) => {
  const tree = folder(t);
  execFileSync("mkfifo", [join(tree, "fifo")]);
  await rejects(narHash(tree), NarError);
});

test("narHash() reports a file that can't be read", async (t) => {
  if (process.getuid?.() === 0) {
    t.skip("root reads everything");
    return;
  }
  const tree = smallTree(t);
  chmodSync(join(tree, "a"), 0);
  await rejects(narHash(tree), { code: "EACCES" });
});

test("narHash() tells how many bytes it has hashed", async (t) => {
  const seen: number[] = [];
  await narHash(smallTree(t), (bytes) => seen.push(bytes));
  deepEqual(seen, [6, 16, 16]);
});

test("hashPrefix() is path-safe and differs for different hashes", () => {
  equal(hashPrefix("sha256-HDfQGvQL4ugGkd48w99EN3ppmvuxfGjwgJZLL9Bx/BM="), "1c37d01af40be2e8");
  notEqual(hashPrefix("sha256-5RB+0T4jfg348J2D14gBvrXAMU0Qekwj0jRyS0ydq8k="), "1c37d01af40be2e8");
});

function hasNixHash(): boolean {
  try {
    execFileSync("nix-hash", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
