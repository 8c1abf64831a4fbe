import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { adoptPin } from "./adoptPin.ts";
import { compareVersions } from "./compareVersions.ts";
import { ensureOpenClaw } from "./ensureOpenClaw.ts";
import { fetchNewer, OFFERED_PINS, OFFERED_TREE, type Offer } from "./fetchNewer.ts";
import { makePin } from "./makePin.ts";
import { makeReadOnly } from "./makeReadOnly.ts";
import { listPins, thisPlatform } from "./Pin.ts";
import { registrySettings } from "./registrySettings.ts";
import { removeTree } from "./removeTree.ts";
import { testRegistry, type TestRegistry } from "./testing/testRegistry.ts";

const NOW = Date.parse("2026-02-01T00:00:00Z");

interface Place {
  readonly pins: string;
  readonly folder: string;
  readonly store: string;
  readonly registry: TestRegistry;
  readonly fetch: (options: {
    have: string;
    from: "pins" | "registry";
    days?: number;
  }) => Promise<Offer>;
}

/** 1.2.3 is pinned; the registry has it from `time` on, under the number given. */
async function place(t: TestContext, version: string, time: string): Promise<Place> {
  const root = mkdtempSync(join(tmpdir(), "seawall-newer-"));
  t.after(() => removeTree(root));
  const [pins, folder] = [join(root, "pins"), join(root, "fetched")];
  mkdirSync(folder);
  const files = { "main.mjs": "1\n", "run.sh": "#!/bin/sh\n" };
  const manifest = { bin: "main.mjs", engines: { node: ">=24" } };
  await (async () => {
    await testRegistry(t, [{ name: "tiny", version: "1.2.3", manifest, files }]);
    await makePin("1.2.3", { name: "tiny", pins, platforms: [thisPlatform()] });
  })();
  const registry = await testRegistry(t, [{ name: "tiny", version, manifest, files, time }]);
  const fetch: Place["fetch"] = (options) =>
    fetchNewer({
      days: 7,
      ...options,
      folder,
      pins,
      name: "tiny",
      now: NOW,
      onProgress: () => undefined,
    });
  return { pins, folder, store: join(root, "store"), registry, fetch };
}

test("compareVersions() orders by number, not by letter", () => {
  deepEqual(["2026.9.10", "2026.10.1", "2026.9.9"].toSorted(compareVersions), [
    "2026.9.9",
    "2026.9.10",
    "2026.10.1",
  ]);
});

test("fetchNewer() offers what is pinned, and asks no registry for more where it is told so", async (t) => {
  const { fetch, registry, folder } = await place(t, "1.3.0", "2026-01-01T00:00:00Z");
  deepEqual(await fetch({ have: "1.2.3", from: "pins" }), {
    version: "1.2.3",
    pinned: false,
    tree: false,
  });
  equal(registry.downloads, 0);
  equal(existsSync(join(folder, OFFERED_TREE)), false);
});

test("fetchNewer() leaves a release alone until it is old enough", async (t) => {
  const { fetch } = await place(t, "1.3.0", "2026-01-30T00:00:00Z");
  deepEqual(await fetch({ have: "1.2.3", from: "registry" }), {
    version: "1.2.3",
    pinned: false,
    tree: false,
  });
  deepEqual(await fetch({ have: "1.2.3", from: "registry", days: 2 }), {
    version: "1.3.0",
    pinned: true,
    tree: true,
  });
});

test("what fetchNewer() fetched gets into the store without the registry, and only as its pin says", async (t) => {
  const { fetch, registry, folder, pins, store } = await place(t, "1.3.0", "2026-01-01T00:00:00Z");
  await fetch({ have: "1.2.3", from: "registry" });
  const pin = adoptPin("1.3.0", join(folder, OFFERED_PINS), pins);
  deepEqual(listPins(pins), ["1.2.3", "1.3.0"]);
  registry.downloads = 0;
  const tree = join(folder, OFFERED_TREE);
  const main = join(tree, "node_modules/tiny/main.mjs");
  const right = readFileSync(main);
  for (const [what, spoil, mend] of [
    ["a changed file", () => writeFileSync(main, "2\n"), () => writeFileSync(main, right)],
    ["a file more", () => writeFileSync(join(tree, "more"), ""), () => rmSync(join(tree, "more"))],
    [
      "a link more",
      () => symlinkSync("/etc/passwd", join(tree, "l")),
      () => rmSync(join(tree, "l")),
    ],
    ["a program less", () => chmodSync(main, 0o644), () => chmodSync(main, 0o755)],
  ] as const) {
    spoil();
    await rejects(ensureOpenClaw(pin, store, { tree }), { code: "wrong-hash" }, what);
    deepEqual(
      readdirSync(store).filter((name) => name !== ".lock"),
      [],
      what,
    );
    mend();
  }
  // In place of the tree, a link to what only its owner may read; root would have opened that to everybody.
  const others = join(folder, "others");
  mkdirSync(others, { mode: 0o700 });
  writeFileSync(join(others, "secret"), "", { mode: 0o600 });
  const modes = (): number[] =>
    [others, join(others, "secret")].map((path) => statSync(path).mode & 0o777);
  renameSync(tree, `${tree}.kept`);
  symlinkSync(others, tree);
  await rejects(ensureOpenClaw(pin, store, { tree }), { code: "wrong-hash" });
  deepEqual(modes(), [0o700, 0o600]);
  throws(() => makeReadOnly(tree), TypeError);
  deepEqual(modes(), [0o700, 0o600]);
  rmSync(tree);
  renameSync(`${tree}.kept`, tree);

  const { root } = await ensureOpenClaw(pin, store, { tree });
  equal(readFileSync(join(root, "node_modules/tiny/main.mjs"), "utf8"), "1\n");
  equal(registry.downloads, 0);
});

test("adoptPin() takes nothing but a whole pin of plain files", async (t) => {
  const { fetch, folder, pins } = await place(t, "1.3.0", "2026-01-01T00:00:00Z");
  await fetch({ have: "1.2.3", from: "registry" });
  const from = join(folder, OFFERED_PINS);
  const at = (name: string): string => join(from, "1.3.0", name);
  const kept = join(folder, "kept");
  cpSync(join(from, "1.3.0"), kept, { recursive: true });
  const edit = (name: string, change: (text: string) => string): void =>
    writeFileSync(at(name), change(readFileSync(at(name), "utf8")));
  for (const [what, spoil] of [
    ["a link", () => (rmSync(at("pin.json")), symlinkSync("/etc/passwd", at("pin.json")))],
    ["a file less", () => rmSync(at("package-lock.json"))],
    ["no JSON", () => writeFileSync(at("pin.json"), "x")],
    ["another version", () => edit("pin.json", (s) => s.replace('"1.3.0"', '"1.3.1"'))],
    ["a program elsewhere", () => edit("pin.json", (s) => s.replace("node_modules/tiny", "../.."))],
    [
      "an address",
      () =>
        edit("package-lock.json", (s) =>
          s.replace('"integrity"', '"resolved": "http://x/", "integrity"'),
        ),
    ],
    ["no integrity", () => edit("package-lock.json", (s) => s.replace('"integrity"', '"other"'))],
  ] as const) {
    spoil();
    throws(() => adoptPin("1.3.0", from, pins), { code: "bad-pin" }, what);
    deepEqual(readdirSync(pins), ["1.2.3"], what);
    rmSync(join(from, "1.3.0"), { recursive: true });
    cpSync(kept, join(from, "1.3.0"), { recursive: true });
  }
  throws(() => adoptPin("1.3.0", from, join(kept, "pin.json", "x")), { code: "store" });
  // Control: as it was, it is taken.
  equal(adoptPin("1.3.0", from, pins).version, "1.3.0");
});

test("registrySettings() refuses passwords, and plain HTTP to anybody else", async (t) => {
  await testRegistry(t, []);
  const set = (url: string): string => (process.env["npm_config_registry"] = url);
  set("http://127.0.0.1:4873/");
  equal((await registrySettings()).registry, "http://127.0.0.1:4873/");
  for (const url of ["http://registry.example.com/", "https://me:word@registry.example.com/"]) {
    set(url);
    await rejects(registrySettings(), (error: Error) => !error.message.includes("word"), url);
  }
  set("https://registry.example.com/");
  equal((await registrySettings()).registry, "https://registry.example.com/");
});
