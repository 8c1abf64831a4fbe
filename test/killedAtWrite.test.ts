import { generateX25519Identity, identityToRecipient } from "age-encryption";
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import {
  createVault,
  openVault,
  openWritableStore,
  SecretValue,
  type Vault,
  type WritableStore,
} from "../src/secrets/index.ts";
import { halfFiles } from "./support/failures.ts";
import { COMPILED } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

/**
 * The command line killed at each of its writes, in the middle of it where it has one: the vault is then
 * the old or the new one, whole, and the next command works.
 */

const MAIN = resolve(import.meta.dirname, "../src/cli/main.ts");
const HOOK = resolve(import.meta.dirname, "support/dieAtWrite.ts");
/** More than any of these commands has; one that never ends would be a fault of its own. */
const MOST_WRITES = 60;

interface Attempt {
  readonly state: string;
  readonly args: readonly string[];
  readonly input: string;
}

function start(
  { state, args, input }: Attempt,
  env: Record<string, string>,
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ["--import", HOOK, MAIN, ...args], {
    cwd: state,
    env: { PATH: process.env["PATH"], SEAWALL_STATE: state, ...env },
    input,
    encoding: "utf8",
  });
}

async function contents(state: string): Promise<Record<string, string> | undefined> {
  const location = vaultOf(state);
  if (!existsSync(location.file)) return undefined;
  const vault = await openVault(location);
  const names = (await vault.list()).map(({ name }) => name);
  const entries = names.map(
    async (name) => [name, (await vault.read(name)).revealSecret()] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Kills `args` at each write, each time from the same beginning. */
async function killEverywhere(
  t: TestContext,
  beginning: string,
  args: readonly string[],
  input: string,
  outcomes: readonly (Record<string, string> | undefined)[],
): Promise<void> {
  const folder = temporaryFolder(t);
  const count = join(folder, "count");
  const cache = COMPILED;
  const copy = (name: string): string => {
    const state = join(folder, name);
    cpSync(beginning, state, { recursive: true });
    return state;
  };
  const whole = { state: copy("whole"), args, input };
  const ran = start(whole, { ...cache, SEAWALL_COUNT_WRITES: count });
  assert.equal(ran.status, 0, ran.stderr);
  const after = await contents(whole.state);
  assert.deepEqual(after, outcomes.at(-1));
  const writes = Number(readFileSync(count, "utf8"));
  assert.ok(writes >= 3 && writes <= MOST_WRITES, `${writes} writes`);
  for (let at = 1; at <= writes; at++) {
    const state = copy("killed");
    // Halfway through what it writes; before a call that writes no bytes.
    const env = { ...cache, SEAWALL_DIE_AT: String(at), SEAWALL_DIE_HALFWAY: "1" };
    const killed = start({ state, args, input }, env);
    const where = `killed at write ${at} of ${writes}`;
    assert.equal(killed.signal, "SIGKILL", `${where}: ${killed.stderr}`);
    const left = await contents(state);
    assert.ok(
      outcomes.some((outcome) => JSON.stringify(outcome) === JSON.stringify(left)),
      `${where}: neither the old vault nor the new one`,
    );
    const files = globSync("**/*", { cwd: state, withFileTypes: true }).filter((e) => e.isFile());
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name));
      for (const value of [...Object.values(after ?? {}), input.trim()])
        assert.ok(value === "" || !bytes.includes(value), `${where}: ${name}`);
    }
    const next = await openOrCreate(state);
    await next.set("next", new SecretValue("value-of-next"));
    assert.deepEqual(await contents(state), { ...left, next: "value-of-next" }, where);
    assert.deepEqual(halfFiles(state), [], where);
    rmSync(state, { recursive: true });
  }
}

function vaultOf(state: string): { readonly file: string; readonly identity: string } {
  return { file: join(state, "vault/vault.age"), identity: join(state, "vault/vault.key") };
}

function openOrCreate(state: string): Promise<Vault> {
  const at = vaultOf(state);
  return existsSync(at.file) ? openVault(at) : createVault(at);
}

function beginning(t: TestContext): string {
  const state = join(temporaryFolder(t), "state");
  mkdirSync(state, { mode: 0o700 });
  for (const name of ["one", "two"]) {
    const made = start({ state, args: ["secret", "set", name], input: `value-of-${name}` }, {});
    assert.equal(made.status, 0, made.stderr);
  }
  return state;
}

const OLD = { one: "value-of-one", two: "value-of-two" };

test("seawall secret set, killed at each write", async (t) => {
  const outcomes = [OLD, { one: "value-of-one", three: "value-of-three", two: "value-of-two" }];
  await killEverywhere(t, beginning(t), ["secret", "set", "three"], "value-of-three\n", outcomes);
});

test("seawall secret rotate, killed at each write", async (t) => {
  const outcomes = [OLD, { one: "another-value", two: "value-of-two" }];
  await killEverywhere(t, beginning(t), ["secret", "rotate", "one"], "another-value\n", outcomes);
});

test("seawall secret import, killed at each write", async (t) => {
  const file = join(temporaryFolder(t), ".env");
  writeFileSync(file, "THREE=value-of-three\nexport FOUR='value-of-four'\n");
  const outcomes = [OLD, { ...OLD, four: "value-of-four", three: "value-of-three" }];
  const sorted = outcomes.map((outcome) =>
    Object.fromEntries(Object.entries(outcome).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  await killEverywhere(t, beginning(t), ["secret", "import", file, "--yes"], "", sorted);
});

test("seawall secret rm, killed at each write", async (t) => {
  await killEverywhere(t, beginning(t), ["secret", "rm", "one"], "", [
    OLD,
    { two: "value-of-two" },
  ]);
});

test("seawall secret set that makes the vault, killed at each write", async (t) => {
  const state = join(temporaryFolder(t), "state");
  mkdirSync(state, { mode: 0o700 });
  const outcomes = [undefined, {}, { one: "value-of-one" }];
  await killEverywhere(t, state, ["secret", "set", "one"], "value-of-one\n", outcomes);
});

for (const [verb, input, outcome] of [
  ["set", "another-value", "another-value"],
  ["rm", "", undefined],
] as const) {
  test(`seawall secret ${verb} --store age, killed at each write`, async (t) => {
    const state = temporaryFolder(t);
    const [folder, identity, count] = ["age", "identity", "count"].map((name) => join(state, name));
    assert.ok(folder !== undefined && identity !== undefined && count !== undefined);
    const key = await generateX25519Identity();
    writeFileSync(identity, `${key}\n`, { mode: 0o600 });
    const recipient = await identityToRecipient(key);
    const fresh = async (): Promise<WritableStore> => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      writeFileSync(join(folder, "recipients.txt"), recipient);
      const store = await openWritableStore({ store: "age", folder, identity });
      for (const name of ["one", "two"]) await store.set(name, new SecretValue(`value-of-${name}`));
      return store;
    };
    const valueIn = async (store: WritableStore): Promise<string | undefined> =>
      (await store.list()).some(({ name }) => name === "one")
        ? (await store.read("one")).revealSecret()
        : undefined;
    const go = (env: Record<string, string>): SpawnSyncReturns<string> => {
      const args = ["secret", verb, "one", "--store", "age", "--folder", folder];
      return start({ state, args, input }, { ...COMPILED, ...env });
    };
    let store = await fresh();
    const ran = go({ SEAWALL_COUNT_WRITES: count });
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(await valueIn(store), outcome);
    const writes = Number(readFileSync(count, "utf8"));
    assert.ok(writes >= (verb === "set" ? 5 : 1) && writes <= MOST_WRITES, `${writes} writes`);
    for (let at = 1; at <= writes; at++) {
      store = await fresh();
      const where = `killed at write ${at} of ${writes}`;
      const killed = go({ SEAWALL_DIE_AT: String(at), SEAWALL_DIE_HALFWAY: "1" });
      assert.equal(killed.signal, "SIGKILL", `${where}: ${killed.stderr}`);
      assert.ok(["value-of-one", outcome].includes(await valueIn(store)), where);
      assert.equal((await store.read("two")).revealSecret(), "value-of-two", where);
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(join(folder, name), "latin1");
        for (const value of ["another-value", "value-of-"])
          assert.ok(!bytes.includes(value), `${where}: ${name}`);
      }
      // The next writer is kept out by nothing, and clears up.
      await store.set("one", new SecretValue("value-of-next"));
      assert.equal(await valueIn(store), "value-of-next", where);
      assert.deepEqual(halfFiles(folder), [], where);
    }
  });
}

test("dieAtWrite kills before a write, and with half of it done", (t) => {
  const folder = temporaryFolder(t);
  const script = join(folder, "script.mjs");
  const file = join(folder, "file");
  writeFileSync(
    script,
    `import { writeFileSync } from "node:fs"; import { open } from "node:fs/promises";
     writeFileSync(${JSON.stringify(file)}, "first"); const h = await open(${JSON.stringify(file)}, "w"); await h.writeFile("0123456789");`,
  );
  const go = (env: Record<string, string>): string => {
    rmSync(file, { force: true });
    spawnSync(process.execPath, ["--import", HOOK, script], { env: { ...process.env, ...env } });
    return existsSync(file) ? readFileSync(file, "utf8") : "(none)";
  };
  assert.equal(go({}), "0123456789");
  assert.equal(go({ SEAWALL_DIE_AT: "1" }), "(none)");
  assert.equal(go({ SEAWALL_DIE_AT: "2" }), "");
  assert.equal(go({ SEAWALL_DIE_AT: "2", SEAWALL_DIE_HALFWAY: "1" }), "01234");
});
