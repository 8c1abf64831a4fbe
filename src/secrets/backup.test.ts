import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { backupVault, restoreVault } from "./backup.ts";
import { createVault, SecretValue } from "./index.ts";
import { failsWith, MARK, needs, run, StoreSetup } from "./testing/storeSetup.ts";

const words = { passphrase: new SecretValue("four words of passphrase") };

test(
  "a backup holds all of a vault and opens without anything of the old machine",
  needs("age"),
  async (t) => {
    const old = new StoreSetup(t);
    const vault = await createVault({ file: old.at("vault.age"), identity: old.at("vault.key") });
    await vault.setAll(
      new Map([
        ["a", new SecretValue(MARK)],
        ["b", new SecretValue("two")],
      ]),
    );
    const file = old.at("backup.age");
    assert.deepEqual(await backupVault(vault, file, words), ["a", "b"]);
    assert.ok(!readFileSync(file).includes(MARK));
    await assert.rejects(backupVault(vault, file, words), failsWith("exists"));
    const other = new StoreSetup(t);
    const next = await createVault({
      file: other.at("vault.age"),
      identity: other.at("vault.key"),
    });
    await next.set("c", new SecretValue("three"));
    const keep = { replace: false };
    assert.deepEqual(await restoreVault(next, file, words, keep), ["a", "b"]);
    assert.equal((await next.read("a")).revealSecret(), MARK);
    assert.equal((await next.list()).length, 3);
    // Again is no clash; another value is.
    await restoreVault(next, file, words, keep);
    await next.set("a", new SecretValue(`${MARK}-newer`));
    await assert.rejects(restoreVault(next, file, words, keep), failsWith("exists", /of "a"$/));
    assert.equal((await next.read("a")).revealSecret(), `${MARK}-newer`);
    await restoreVault(next, file, words, { replace: true });
    assert.equal((await next.read("a")).revealSecret(), MARK);
    const wrong = { passphrase: new SecretValue("other words") };
    await assert.rejects(restoreVault(next, file, wrong, keep), failsWith("wrong-passphrase"));
    const cut = other.write("cut.age", readFileSync(file).subarray(0, -5));
    await assert.rejects(restoreVault(next, cut, words, keep), failsWith("damaged"));
    // For public keys: age itself opens it.
    const identity = old.at("identity");
    await run("age-keygen", ["-o", identity]);
    const recipients = [(await run("age-keygen", ["-y", identity])).stdout.trim()];
    await backupVault(vault, old.at("keys.age"), { recipients });
    const { stdout } = await run("age", ["-d", "-i", identity, old.at("keys.age")]);
    assert.ok(stdout.includes(MARK));
    await restoreVault(next, old.at("keys.age"), { identity }, keep);
    await assert.rejects(
      backupVault(vault, old.at("none.age"), { passphrase: new SecretValue("") }),
      failsWith("empty-value"),
    );
  },
);
