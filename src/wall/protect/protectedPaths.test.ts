import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../testing/harness.ts";
import { FOLDER_PATHS, HOME_PATHS } from "./paths.ts";
import { protectedPaths, reasonFor } from "./protectedPaths.ts";

test("every protected path is relative, plain, named once and has a reason", () => {
  for (const list of [HOME_PATHS, FOLDER_PATHS]) {
    const paths = list.map(({ path }) => path);
    assert.deepEqual(paths, [...new Set(paths)]);
    for (const { path, reason } of list) {
      assert.match(path, /^(?![./]*\/)[^*?]+$/u, path);
      assert.ok(!path.split("/").includes(".."), path);
      assert.ok(reason.length > 5, path);
    }
  }
});

test("protectedPaths() keeps keys hidden and what gets executed read-only, unless named", () => {
  const options = { home: "/home/me", folders: [], named: ["/home/me/.config/gh"] };
  const found = new Map(protectedPaths(options).map((each) => [each.path, each]));
  for (const name of [".ssh", ".aws", ".gnupg", ".netrc"])
    assert.equal(found.get(`/home/me/${name}`)?.access, "hidden");
  for (const name of [".bashrc", ".zshrc", ".profile"])
    assert.deepEqual(found.get(`/home/me/${name}`), {
      path: `/home/me/${name}`,
      access: "read-only",
      absent: "seal",
    });
  assert.equal(found.has("/home/me/.config/gh"), false);
  assert.equal(reasonFor("/home/me/.ssh/id_ed25519", options)?.includes("private keys"), true);
  assert.equal(reasonFor("/home/me/notes", options), undefined);
});

test("protectedPaths() finds repositories, nested ones and submodules", (t) => {
  const root = temporaryFolder(t);
  for (const folder of [".git/modules/lib/hooks", "a/b/.git", "node_modules/x/.git", "plain"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, ".git/modules/lib/HEAD"), "");
  const found = protectedPaths({ home: "/home/me", folders: [root], named: [] })
    .map(({ path }) => path)
    .filter((path) => path.startsWith(root) && path.endsWith("/hooks"))
    .map((path) => path.slice(root.length + 1));
  assert.deepEqual(found.toSorted(), [".git/hooks", ".git/modules/lib/hooks", "a/b/.git/hooks"]);
});

test("protectedPaths() leaves a project open for new files, unless it is to be strict", (t) => {
  const root = temporaryFolder(t);
  const seals = (strict: boolean) =>
    protectedPaths({ home: "/home/me", folders: [root], named: [], strict }).filter(
      ({ path, absent }) => path.startsWith(`${root}/`) && absent === "seal",
    );
  assert.deepEqual(seals(false), []);
  assert.ok(seals(true).some(({ path }) => path === join(root, ".envrc")));
});
