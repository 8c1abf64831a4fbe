import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import type { SecretSource } from "../plan/index.ts";
import { openServiceStores } from "./openServiceStores.ts";
import { SecretError, type SecretErrorCode } from "./SecretError.ts";

async function storesOf(t: TestContext, credentials: Readonly<Record<string, string>>) {
  const directory = temporaryFolder(t);
  for (const [name, value] of Object.entries(credentials))
    writeFileSync(join(directory, name), value, { mode: 0o400 });
  const vault = { file: join(directory, "vault.age"), identity: join(directory, "vault.key") };
  const stores = await openServiceStores({ vault, directory, onHealth: () => undefined });
  t.after(() => {
    stores.close();
  });
  return { stores, directory };
}

function fails(code: SecretErrorCode) {
  return (error: unknown): boolean => error instanceof SecretError && error.code === code;
}

test("openServiceStores() reads a unit's credentials, without the line's end", async (t) => {
  const { stores } = await storesOf(t, { "secret.a": "value-of-a\n" });
  const value = await stores.read({ store: "credential", name: "secret.a" });
  assert.equal(value.revealSecret(), "value-of-a");
});

test("openServiceStores() reads nothing beside the unit's credentials", async (t) => {
  const { stores } = await storesOf(t, { empty: "", long: "x".repeat(2_000_000) });
  const read = (name: string) => stores.read({ store: "credential", name });
  for (const name of ["absent", "../beside", "/etc/passwd", "", ".", ".."])
    await assert.rejects(read(name), fails("missing"), name);
  await assert.rejects(read("empty"), fails("empty-value"));
  await assert.rejects(read("long"), fails("oversized-value"));
});

test("openServiceStores() refuses stores that would need a process of their own", async (t) => {
  const { stores } = await storesOf(t, {});
  const sources: readonly SecretSource[] = [
    { store: "exec", command: ["true"] },
    { store: "env", variable: "HOME" },
    { store: "file", path: "/etc/hostname" },
    { store: "keyring", service: "a", account: "b" },
    { store: "credential", name: "a", path: "/etc/hostname" },
  ];
  for (const source of sources)
    await assert.rejects(stores.read(source), fails("unsupported"), source.store);
});
