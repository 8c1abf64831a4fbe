import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { createVault, openVault, SecretValue, type Vault } from "../../../secrets/index.ts";
import { SetupError } from "./SetupError.ts";
import { writeAnswers } from "./writeAnswers.ts";

const HOOK = resolve(import.meta.dirname, "../../../../test/support/dieAtWrite.ts");
const TEXT = "{ seawall: 1, bots: {} }\n";
const VALUES = { anthropic: "value-of-anthropic", telegram: "value-of-telegram" };

function place(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "seawall-test-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [file, vault] = [join(root, "seawall.json5"), join(root, "vault")];
  const location = { file: join(vault, "vault.age"), identity: join(vault, "vault.key") };
  const open = (): Promise<Vault> =>
    existsSync(location.file) ? openVault(location) : createVault(location);
  const names = async (): Promise<readonly string[]> =>
    existsSync(location.file) ? (await (await open()).list()).map(({ name }) => name) : [];
  const values = new Map(
    Object.entries(VALUES).map(([name, value]) => [name, new SecretValue(value)]),
  );
  const halves = (): readonly string[] =>
    readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\.new-/.test(name));
  return {
    root,
    file,
    location,
    open,
    names,
    halves,
    options: { files: [{ path: file, text: TEXT }], values },
  };
}

/** A script that can be killed at each of its writes, and how many these are. */
function dying(root: string, script: string) {
  const go = (env: Record<string, string>) =>
    spawnSync(process.execPath, ["--import", HOOK, "--input-type=module", "-e", script], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(root, "compiled"), ...env },
      encoding: "utf8",
    });
  const count = join(root, "count");
  const whole = go({ SEAWALL_COUNT_WRITES: count });
  assert.equal(whole.status, 0, whole.stderr);
  return { go, count, writes: Number(readFileSync(count, "utf8")) };
}

test("writeAnswers() killed at each write: nothing, or secrets only, or all; and run again it is all", async (t) => {
  const { root, file, location, open, names, halves, options } = place(t);
  const script = `
    import { writeAnswers } from ${JSON.stringify(resolve(import.meta.dirname, "writeAnswers.ts"))};
    import { createVault, openVault, SecretValue } from ${JSON.stringify(resolve(import.meta.dirname, "../../../secrets/index.ts"))};
    import { existsSync } from "node:fs";
    const location = ${JSON.stringify(location)};
    await writeAnswers({ files: ${JSON.stringify(options.files)}, replace: false,
      values: new Map(Object.entries(${JSON.stringify(VALUES)}).map(([name, value]) => [name, new SecretValue(value)])),
      open: () => existsSync(location.file) ? openVault(location) : createVault(location) });`;
  const { go, count, writes } = dying(root, script);
  assert.ok(writes > 10 && writes < 80, `${writes} writes`);
  const seen = new Set<string>();
  for (let at = 1; at <= writes; at++) {
    for (const path of [file, count, join(root, "vault")])
      rmSync(path, { recursive: true, force: true });
    const killed = go({ SEAWALL_DIE_AT: String(at), SEAWALL_DIE_HALFWAY: "1" });
    const where = `killed at write ${at} of ${writes}`;
    assert.equal(killed.signal, "SIGKILL", `${where}: ${killed.stderr}`);
    // An identity without a vault is what creating one goes on from.
    const stored = await names();
    assert.ok([0, 2].includes(stored.length), where);
    if (existsSync(file)) assert.equal(readFileSync(file, "utf8"), TEXT, where);
    assert.ok(
      !existsSync(file) || stored.length === 2,
      `${where}: a declaration without its secrets`,
    );
    seen.add(`${existsSync(file)} ${stored.length}`);
    if (!existsSync(file)) await writeAnswers({ ...options, replace: false, open });
    assert.equal(readFileSync(file, "utf8"), TEXT, where);
    assert.deepEqual(await names(), ["anthropic", "telegram"], where);
    if (!existsSync(file)) assert.deepEqual(halves(), [], where);
  }
  assert.deepEqual([...seen].toSorted(), ["false 0", "false 2", "true 2"]);
});

test("writeAnswers() makes the folder, one deep, and takes it away where nothing comes to lie in it", async (t) => {
  const { root, open, options } = place(t);
  const folder = join(root, "flake");
  const path = join(folder, "flake.nix");
  const inside = { ...options, files: [{ path, text: TEXT }], folder, replace: false };
  const refused = async (): Promise<Vault> => {
    assert.deepEqual(readdirSync(folder).length, 1, "the half");
    return Promise.reject(new SetupError("cancelled", "stopped"));
  };
  await assert.rejects(writeAnswers({ ...inside, open: refused }), { code: "cancelled" });
  assert.ok(!existsSync(folder));
  await assert.rejects(writeAnswers({ ...inside, folder: join(folder, "deeper"), open }), {
    code: "disk",
  });
  assert.ok(!existsSync(folder));
  await writeAnswers({ ...inside, open });
  assert.equal(readFileSync(path, "utf8"), TEXT);
});

test("writeAnswers() undoes what it stored when the file can't get into its place", async (t) => {
  const { root, file, open, names, halves, options } = place(t);
  const vault = await open();
  await vault.set("anthropic", new SecretValue("an older one"));
  const meanwhile = async (): Promise<Vault> => {
    writeFileSync(file, "somebody else's");
    return vault;
  };
  await assert.rejects(writeAnswers({ ...options, replace: false, open: meanwhile }), {
    code: "exists",
  });
  assert.equal(readFileSync(file, "utf8"), "somebody else's");
  assert.deepEqual(await names(), ["anthropic"]);
  assert.equal((await vault.read("anthropic")).revealSecret(), "an older one");
  assert.deepEqual(halves(), []);
  // The same with its consent.
  await writeAnswers({ ...options, replace: true, open });
  assert.equal(readFileSync(file, "utf8"), TEXT);
  assert.deepEqual(readdirSync(root).toSorted(), ["seawall.json5", "vault"]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`writeAnswers() stopped by ${signal} on the way leaves nothing`, async (t) => {
    const { file, open, names, halves, options } = place(t);
    const stopped = async (): Promise<Vault> => {
      const vault = await open();
      const heard = new Promise((done) => process.once(signal, done));
      process.kill(process.pid, signal);
      await heard;
      return vault;
    };
    await assert.rejects(writeAnswers({ ...options, replace: false, open: stopped }), {
      code: "cancelled",
    });
    assert.ok(!existsSync(file));
    assert.deepEqual(await names(), []);
    assert.deepEqual(halves(), []);
    assert.equal(process.listenerCount(signal), 0);
  });

test("writeAnswers() removes what a run left that was killed, and not what one that goes on has", async (t) => {
  const { root, file, open, options } = place(t);
  const dead = spawnSync("true").pid;
  const [mine, left] = [`.seawall.json5.new-${process.ppid}-0a`, `.seawall.json5.new-${dead}-0b`];
  for (const name of [mine, left]) writeFileSync(join(root, name), "");
  await writeAnswers({ ...options, values: new Map(), replace: false, open });
  assert.ok(existsSync(file));
  assert.ok(!existsSync(join(root, "vault")));
  assert.deepEqual(readdirSync(root).toSorted(), [mine, "seawall.json5"]);
});

/** As a flake has them: the last one makes the others count. */
function several(root: string) {
  return ["bots.nix", "flake.nix"].map((name) => ({
    path: join(root, name),
    text: `# ${name}\n{ }\n`,
  }));
}

test("writeAnswers() of several files killed at each write: the last only with all others, and run again it is all", async (t) => {
  const { root, open, halves, options } = place(t);
  const files = several(root);
  const script = `
    import { writeAnswers } from ${JSON.stringify(resolve(import.meta.dirname, "writeAnswers.ts"))};
    await writeAnswers({ files: ${JSON.stringify(files)}, replace: false, values: new Map() });`;
  const { go, count, writes } = dying(root, script);
  assert.ok(writes > 10 && writes < 40, `${writes} writes`);
  const seen = new Set<string>();
  for (let at = 1; at <= writes; at++) {
    for (const path of [count, ...files.map((file) => file.path)]) rmSync(path, { force: true });
    const killed = go({ SEAWALL_DIE_AT: String(at), SEAWALL_DIE_HALFWAY: "1" });
    const where = `killed at write ${at} of ${writes}`;
    assert.equal(killed.signal, "SIGKILL", `${where}: ${killed.stderr}`);
    const there = files.filter(({ path }) => existsSync(path));
    for (const { path, text } of there) assert.equal(readFileSync(path, "utf8"), text, where);
    // Never one before those that it needs.
    assert.deepEqual(there, files.slice(0, there.length), where);
    seen.add(String(there.length));
    if (there.length === files.length) continue;
    await writeAnswers({ ...options, files, values: new Map(), replace: false, open });
    for (const { path, text } of files) assert.equal(readFileSync(path, "utf8"), text, where);
    assert.deepEqual(halves(), [], where);
  }
  assert.deepEqual([...seen].toSorted(), ["0", "1", "2"]);
});

test("writeAnswers() of several files leaves none where one can't get into its place, and touches nobody else's", async (t) => {
  const { root, open, names, options } = place(t);
  const files = several(root);
  for (const { path } of files) {
    writeFileSync(path, "somebody else's");
    // `replace` is for the last one alone, and not what a flake is written with.
    await assert.rejects(writeAnswers({ ...options, files, replace: false, open }), {
      code: "exists",
    });
    assert.equal(readFileSync(path, "utf8"), "somebody else's");
    rmSync(path);
    assert.deepEqual(readdirSync(root), ["vault"]);
    assert.deepEqual(await names(), []);
  }
  // A link is somebody's, too, wherever it leads.
  const [first] = files;
  symlinkSync(join(root, "elsewhere"), first?.path ?? "");
  writeFileSync(join(root, "elsewhere"), first?.text ?? "");
  await assert.rejects(writeAnswers({ ...options, files, replace: false, open }), {
    code: "exists",
  });
  assert.deepEqual(readdirSync(root).toSorted(), ["bots.nix", "elsewhere", "vault"]);
});
