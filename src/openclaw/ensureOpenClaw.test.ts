import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureNode } from "./ensureNode.ts";
import { ensureOpenClaw, type InstallProgress } from "./ensureOpenClaw.ts";
import { makePin } from "./makePin.ts";
import { narHash } from "./nar.ts";
import { readPin, thisPlatform, type OpenClawPin } from "./Pin.ts";
import { removeTree } from "./removeTree.ts";
import { testRegistry, type TestPackage, type TestRegistry } from "./testing/testRegistry.ts";

/** A little project of the same make: a dependency, optional parts per machine, one picky about Node. */
const PACKAGES: readonly TestPackage[] = [
  {
    name: "tiny",
    version: "1.2.3",
    manifest: {
      bin: "main.mjs",
      engines: { node: ">=24.16.0 <25 || >=26.1.0" },
      dependencies: { helper: "1.0.0" },
      optionalDependencies: { "native-x64": "1.0.0", "native-arm64": "1.0.0" },
    },
    files: { "main.mjs": "console.log('tiny')\r\n", "run.sh": "#!/bin/sh\n" },
  },
  { name: "helper", version: "1.0.0", files: { "index.js": "1\n" } },
  {
    name: "native-x64",
    version: "1.0.0",
    manifest: { os: ["linux"], cpu: ["x64"], engines: { node: ">=9999" } },
    files: { "part.node": "x64\n" },
  },
  {
    name: "native-arm64",
    version: "1.0.0",
    manifest: { os: ["linux"], cpu: ["arm64"], engines: { node: ">=9999" } },
    files: { "part.node": "arm64\n" },
  },
];

interface Case {
  readonly folder: string;
  readonly store: string;
  readonly pin: OpenClawPin;
  readonly registry: TestRegistry;
}

const PIN_FILES = ["package.json", "package-lock.json", "pin.json"];
/** Made once: no address stands in a pin, so any registry will do. */
const made = new Map<string, string>();

async function pinned(t: TestContext): Promise<Case> {
  const registry = await testRegistry(t, PACKAGES);
  const folder = mkdtempSync(join(tmpdir(), "seawall-store-"));
  t.after(() => removeTree(folder));
  const pins = join(folder, "pins");
  if (made.size === 0) {
    const pin = await makePin("1.2.3", { name: "tiny", pins });
    for (const file of PIN_FILES) made.set(file, readFileSync(join(pin.folder, file), "utf8"));
  }
  mkdirSync(join(pins, "1.2.3"), { recursive: true });
  for (const [file, text] of made) writeFileSync(join(pins, "1.2.3", file), text);
  registry.downloads = 0;
  return { folder, store: join(folder, "store"), pin: readPin("1.2.3", pins), registry };
}

/** What is in the store besides the lock. */
function contents(store: string): string[] {
  return readdirSync(store)
    .filter((name) => name !== ".lock")
    .toSorted();
}

test("makePin() writes a lock without addresses or engines, and a hash for each platform", async (t) => {
  const { pin } = await pinned(t);
  const lock = readFileSync(join(pin.folder, "package-lock.json"), "utf8");
  equal(/resolved|engines|127\.0\.0\.1/.test(lock), false);
  match(lock, /sha512-/);
  equal(pin.node, ">=24.16.0 <25 || >=26.1.0");
  equal(pin.entry, "node_modules/tiny/main.mjs");
  ok(pin.narHash["linux-x64"] !== pin.narHash["linux-arm64"]);
  deepEqual(readPin("1.2.3", join(pin.folder, "..")), pin);
  deepEqual(readdirSync(join(pin.folder, "..")), ["1.2.3"]);
});

test("makePin() gives the same bytes twice", async (t) => {
  const { folder, pin } = await pinned(t);
  const again = await makePin("1.2.3", { name: "tiny", pins: join(folder, "again") });
  for (const file of PIN_FILES) {
    equal(
      readFileSync(join(pin.folder, file), "utf8"),
      readFileSync(join(again.folder, file), "utf8"),
    );
  }
});

test("makePin() says that a version doesn't exist, and leaves nothing", async (t) => {
  const { folder } = await pinned(t);
  const pins = join(folder, "other");
  await rejects(makePin("9.9.9", { name: "tiny", pins }), { code: "unknown-version", exitCode: 3 });
  await rejects(makePin("latest", { name: "tiny", pins }), { code: "unknown-version" });
  equal(existsSync(pins), false);
});

test("ensureOpenClaw() installs once, read-only and readable by everybody, and says how far it is", async (t) => {
  const { store, pin, registry } = await pinned(t);
  const seen: InstallProgress[] = [];
  const installed = await ensureOpenClaw(pin, store, { onProgress: (step) => seen.push(step) });
  equal(await narHash(installed.root), pin.narHash[thisPlatform()]);
  equal(readFileSync(installed.entry, "utf8"), "console.log('tiny')\r\n");
  deepEqual(readdirSync(installed.root), ["node_modules"]);
  equal(existsSync(join(installed.root, "node_modules", ".package-lock.json")), false);
  const mode = (path: string): number => lstatSync(join(installed.root, path)).mode & 0o777;
  equal(mode(""), 0o555);
  equal(mode("node_modules/tiny"), 0o555);
  equal(mode("node_modules/helper/index.js"), 0o444);
  equal(mode("node_modules/tiny/run.sh"), 0o555);
  const last = seen.findLast((step) => step.phase === "downloading");
  deepEqual(last, { phase: "downloading", done: 3, total: 3 });

  const { downloads } = registry;
  deepEqual(await ensureOpenClaw(pin, store), installed);
  equal(registry.downloads, downloads);
  equal(contents(store).length, 2);
});

test("ensureOpenClaw() installs the same tree whatever umask and npm settings the user has", async (t) => {
  const { folder, store, pin } = await pinned(t);
  const settings: Record<string, string> = {
    npm_config_omit: "optional",
    npm_config_bin_links: "true",
    npm_config_global: "true",
    npm_config_os: "win32",
    npm_config_cpu: "ia32",
    npm_config_legacy_peer_deps: "true",
    npm_config_install_strategy: "nested",
    npm_config_dry_run: "true",
    npm_config_engine_strict: "true",
    npm_config_package_lock: "false",
    npm_config_umask: "0777",
    npm_config_prefix: join(folder, "prefix"),
  };
  const umask = process.umask(0o077);
  Object.assign(process.env, settings);
  t.after(() => {
    process.umask(umask);
    for (const key of Object.keys(settings)) delete process.env[key];
  });
  const { root } = await ensureOpenClaw(pin, store);
  equal(lstatSync(store).mode & 0o777, 0o755);
  equal(lstatSync(join(root, "node_modules", "helper", "index.js")).mode & 0o777, 0o444);
});

test("ensureOpenClaw() notices a changed byte, an added and a removed file, and installs anew", async (t) => {
  const { store, pin, registry } = await pinned(t);
  const { root, entry } = await ensureOpenClaw(pin, store);
  const tampers: (() => void)[] = [
    () => {
      chmodSync(entry, 0o644);
      writeFileSync(entry, "console.log('evil')\r\n");
      chmodSync(entry, 0o444);
    },
    () => {
      chmodSync(join(root, "node_modules"), 0o755);
      mkdirSync(join(root, "node_modules", "evil"));
    },
    () => {
      chmodSync(join(root, "node_modules"), 0o755);
      removeTree(join(root, "node_modules", "helper"));
    },
    () => {
      chmodSync(root, 0o755);
      removeTree(join(root, "node_modules"));
    },
  ];
  for (const tamper of tampers) {
    tamper();
    const before = registry.downloads;
    await ensureOpenClaw(pin, store);
    equal(await narHash(root), pin.narHash[thisPlatform()]);
    // npm's cache may serve it, so no downloads need to have happened.
    ok(registry.downloads >= before);
    equal(contents(store).length, 2);
  }
});

test("ensureOpenClaw() removes what a killed install left, and installs", async (t) => {
  const { store, pin, registry } = await pinned(t);
  const hold = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  registry.onTarball = () => {
    asked.resolve();
    return hold.promise;
  };
  process.env["npm_config_cache"] = join(store, "..", "empty-cache");
  const module = fileURLToPath(new URL("index.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { ensureOpenClaw, readPin } from ${JSON.stringify(module)};
       await ensureOpenClaw(readPin("1.2.3", ${JSON.stringify(join(pin.folder, ".."))}), ${JSON.stringify(store)});`,
    ],
    // A group of its own, so that its npm can be killed with it.
    { detached: true, stdio: "ignore" },
  );
  const ended = new Promise((resolve) => child.on("close", resolve));
  await Promise.race([asked.promise, ended]);
  ok(contents(store).some((name) => name.startsWith(".unfinished-")));
  process.kill(-(child.pid ?? Number.NaN), "SIGKILL");
  await ended;
  hold.resolve();
  registry.onTarball = () => undefined;
  const { root } = await ensureOpenClaw(pin, store);
  equal(await narHash(root), pin.narHash[thisPlatform()]);
  ok(contents(store).every((name) => name.startsWith("openclaw-")));
});

test("ensureOpenClaw() lets a second caller wait and use what the first installed", async (t) => {
  const { store, pin, registry } = await pinned(t);
  process.env["npm_config_cache"] = join(store, "..", "empty-cache");
  const waited = Promise.withResolvers<void>();
  // The first install can't finish before the second has had to wait for it.
  registry.onTarball = () => waited.promise;
  const first = ensureOpenClaw(pin, store);
  const second = ensureOpenClaw(pin, store, {
    onProgress: ({ phase }) => {
      if (phase === "waiting") waited.resolve();
    },
  });
  deepEqual(await first, await second);
  equal(registry.downloads, 3);
});

test("ensureOpenClaw() refuses a tree that is not what the pin names, and leaves nothing", async (t) => {
  const { store, pin } = await pinned(t);
  const other = { ...pin, narHash: { [thisPlatform()]: `sha256-${"A".repeat(43)}=` } };
  await rejects(ensureOpenClaw(other, store), { code: "wrong-hash", exitCode: 5 });
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() names optional packages that npm left out without a word", async (t) => {
  const { store, pin, registry } = await pinned(t);
  process.env["npm_config_cache"] = join(store, "..", "empty-cache");
  const native = `native-${process.arch}`;
  registry.withheld.add(native);
  await rejects(ensureOpenClaw(pin, store), { code: "registry", message: new RegExp(native) });
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() refuses a package with other contents than the lock names", async (t) => {
  const { folder, store, pin } = await pinned(t);
  const lock = join(pin.folder, "package-lock.json");
  const text = readFileSync(lock, "utf8");
  const wrong = join(folder, "wrong");
  mkdirSync(wrong);
  copyFileSync(join(pin.folder, "package.json"), join(wrong, "package.json"));
  writeFileSync(
    join(wrong, "package-lock.json"),
    text.replaceAll(/sha512-[^"]+/g, `sha512-${"A".repeat(86)}==`),
  );
  await rejects(ensureOpenClaw({ ...pin, folder: wrong }, store), { code: "wrong-hash" });
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() says that the registry can't be reached, and leaves nothing", async (t) => {
  const { store, pin } = await pinned(t);
  process.env["npm_config_registry"] = "http://127.0.0.1:9/";
  process.env["npm_config_cache"] = join(store, "..", "empty-cache");
  await rejects(ensureOpenClaw(pin, store), { code: "registry", exitCode: 5 });
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() says that npm is missing", async (t) => {
  const { store, pin } = await pinned(t);
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  t.after(() => (process.env["PATH"] = path));
  await rejects(ensureOpenClaw(pin, store), { code: "npm-missing", exitCode: 4 });
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() does not begin what the disk has no room for", async (t) => {
  const { store, pin, registry } = await pinned(t);
  const huge = { ...pin, size: { [thisPlatform()]: Number.MAX_SAFE_INTEGER } };
  await rejects(ensureOpenClaw(huge, store), { code: "disk-full", exitCode: 5 });
  equal(registry.downloads, 0);
  deepEqual(contents(store), []);
});

test("ensureOpenClaw() says that the disk is full when it fills up on the way, and leaves nothing", async (t) => {
  const { folder, pin } = await pinned(t);
  const store = join(folder, "small");
  mkdirSync(store);
  if (!mountSmall(store)) {
    t.skip("mounting a small tmpfs needs root");
    return;
  }
  try {
    await rejects(ensureOpenClaw(pin, store), { code: "disk-full" });
    deepEqual(contents(store), []);
  } finally {
    execFileSync("umount", [store]);
  }
});

test("ensureOpenClaw() says that a store can't be used", async (t) => {
  const { folder, pin } = await pinned(t);
  writeFileSync(join(folder, "file"), "");
  await rejects(ensureOpenClaw(pin, join(folder, "file", "store")), { code: "store" });
});

test("ensureNode() copies Node once, runnable by everybody, and replaces a copy that was changed", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-node-"));
  t.after(() => removeTree(folder));
  const installed = await ensureNode(process.execPath, folder, ">=24.16.0 <25 || >=26.1.0");
  equal(installed.version, process.versions.node);
  equal(lstatSync(installed.entry).mode & 0o777, 0o555);
  equal(execFileSync(installed.entry, ["-p", "1+1"], { encoding: "utf8" }), "2\n");
  const { ino } = lstatSync(installed.entry);
  deepEqual(await ensureNode(process.execPath, folder), installed);
  equal(lstatSync(installed.entry).ino, ino);
  chmodSync(installed.entry, 0o755);
  writeFileSync(installed.entry, "#!/bin/sh\n");
  deepEqual(await ensureNode(process.execPath, folder), installed);
  equal(execFileSync(installed.entry, ["-p", "1+1"], { encoding: "utf8" }), "2\n");
});

test("ensureNode() refuses a Node that OpenClaw refuses", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-node-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await rejects(ensureNode(process.execPath, folder, ">=9999"), {
    code: "node-unsupported",
    exitCode: 4,
  });
  await rejects(ensureNode("/bin/true", folder), { code: "node-unsupported" });
  await rejects(ensureNode("/nowhere/node", folder), { code: "node-unsupported" });
});

/** 64 KiB and few inodes: enough for the lock, not for an install. */
function mountSmall(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k,nr_inodes=16", "tmpfs", folder], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
