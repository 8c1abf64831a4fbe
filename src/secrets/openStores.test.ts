import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { inspect } from "node:util";
import {
  createVault,
  openStores,
  SecretError,
  SecretValue,
  type StoreHealth,
  type Vault,
} from "./index.ts";
import { VaultStore } from "./VaultStore.ts";

interface Setup {
  readonly folder: string;
  readonly file: string;
  readonly vault: Vault;
  readonly store: VaultStore;
  readonly health: StoreHealth[];
  /** Lets the store's clock go on by two seconds. */
  readonly later: () => void;
  readonly read: (key: string) => Promise<string>;
}

async function setUp(t: TestContext, passphrase?: string): Promise<Setup> {
  const folder = mkdtempSync(join(tmpdir(), "seawall-stores-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const location = {
    file: join(folder, "vault.age"),
    identity: join(folder, "vault.key"),
    ...(passphrase === undefined ? {} : { passphrase: new SecretValue(passphrase) }),
  };
  const vault = await createVault(location);
  await vault.set("a", new SecretValue("one"));
  const health: StoreHealth[] = [];
  let time = 0;
  const store = new VaultStore(
    location,
    (event) => health.push(event),
    () => time,
  );
  return {
    folder,
    file: location.file,
    vault,
    store,
    health,
    later: () => (time += 2000),
    read: async (key) => (await store.read({ store: "vault", key })).revealSecret(),
  };
}

const code = (expected: string) => (error: unknown) =>
  error instanceof SecretError && error.code === expected;

test("openStores() reads nothing until a secret is asked for, then from its store", async (t) => {
  const { folder, file } = await setUp(t);
  const nowhere = join(folder, "nowhere");
  const empty = await openStores({ vault: { file: nowhere, identity: nowhere } });
  await assert.rejects(empty.read({ store: "vault", key: "a" }), code("missing"));
  const stores = await openStores({ vault: { file, identity: join(folder, "vault.key") } });
  assert.equal((await stores.read({ store: "vault", key: "a" })).revealSecret(), "one");
  await assert.rejects(stores.read({ store: "vault", key: "b" }), code("missing"));
});

test("openStores() hides values and passphrase from whoever prints it", async (t) => {
  const { folder, store, read } = await setUp(t);
  await read("a");
  const identity = join(folder, "vault.key");
  const stores = await openStores({ vault: { file: identity, identity, passphrase: "pass-9" } });
  const shown = inspect([store, stores], { depth: 9, showHidden: true }) + JSON.stringify([store]);
  assert.doesNotMatch(shown, /one|pass-9|AGE-SECRET/);
});

test("VaultStore.read() sees a changed secret at its next check, not before", async (t) => {
  const { vault, later, read } = await setUp(t);
  assert.equal(await read("a"), "one");
  await vault.set("a", new SecretValue("two"));
  assert.equal(await read("a"), "one");
  later();
  assert.equal(await read("a"), "two");
});

test("VaultStore.read() fails closed once a secret was removed", async (t) => {
  const { vault, later, read } = await setUp(t);
  await read("a");
  await vault.rm("a");
  later();
  await assert.rejects(read("a"), code("missing"));
});

test("VaultStore.read() fails closed once the vault was removed, and recovers", async (t) => {
  const { file, later, read } = await setUp(t);
  await read("a");
  renameSync(file, `${file}.away`);
  later();
  await assert.rejects(read("a"), code("missing"));
  await assert.rejects(read("a"), code("missing"));
  renameSync(`${file}.away`, file);
  later();
  assert.equal(await read("a"), "one");
});

test("VaultStore.read() keeps the old values under a broken file and says so once", async (t) => {
  const { file, vault, later, read, health } = await setUp(t);
  await read("a");
  copyFileSync(file, `${file}.good`);
  writeFileSync(file, readFileSync(file).subarray(0, 150));
  for (let reads = 0; reads < 3; reads++) {
    later();
    assert.equal(await read("a"), "one");
  }
  assert.equal(health.length, 1);
  assert.match(inspect(health[0]), /damaged; the secrets read before stay in use/);
  renameSync(`${file}.good`, file);
  await vault.set("a", new SecretValue("two"));
  later();
  assert.equal(await read("a"), "two");
  assert.deepEqual(health.slice(1), [{ type: "health-clear", key: "vault" }]);
});

test("VaultStore.read() warns when the vault becomes readable to others", async (t) => {
  const { file, later, read, health } = await setUp(t);
  await read("a");
  chmodSync(file, 0o644);
  later();
  assert.equal(await read("a"), "one");
  assert.match(inspect(health), /others may read.*\n?.*remedy: 'chmod 600/s);
});

test("VaultStore.read() fails when the vault was never usable, and tries again", async (t) => {
  const { file, read } = await setUp(t);
  chmodSync(file, 0o644);
  await assert.rejects(read("a"), code("unsafe-mode"));
  chmodSync(file, 0o600);
  assert.equal(await read("a"), "one");
});

test("VaultStore.read() follows a vault that was made anew with another identity", async (t) => {
  const { folder, file, later, read } = await setUp(t);
  await read("a");
  rmSync(file);
  rmSync(join(folder, "vault.key"));
  const vault = await createVault({ file, identity: join(folder, "vault.key") });
  await vault.set("a", new SecretValue("other"));
  later();
  assert.equal(await read("a"), "other");
});

test("VaultStore.read() uses a new vault as soon as its identity has come too", async (t) => {
  const { folder, file, later, read, health } = await setUp(t);
  await read("a");
  const identity = join(folder, "vault.key");
  rmSync(file);
  rmSync(identity);
  const vault = await createVault({ file, identity });
  await vault.set("a", new SecretValue("other"));
  renameSync(identity, `${identity}.late`);
  later();
  assert.equal(await read("a"), "one");
  assert.equal(health.at(-1)?.type, "health");
  renameSync(`${identity}.late`, identity);
  later();
  assert.equal(await read("a"), "other");
  assert.equal(health.at(-1)?.type, "health-clear");
});

test("VaultStore.read() needs the passphrase once and then follows changes", async (t) => {
  const { vault, later, read } = await setUp(t, "correct horse");
  const values = await Promise.all([read("a"), read("a"), read("a")]);
  assert.deepEqual(values, ["one", "one", "one"]);
  await vault.set("a", new SecretValue("two"));
  later();
  assert.equal(await read("a"), "two");
});
