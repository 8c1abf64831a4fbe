import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { generateX25519Identity } from "age-encryption";
import { MARK, StoreSetup } from "./testing/storeSetup.ts";

const sops = (path: string, key: string, identity: string) =>
  ({ store: "sops", path, key: key.split("/"), identity }) as const;

test("sopsStore.read() reads every type from what SOPS 3.8 and 3.9 wrote", async (t) => {
  const setup = new StoreSetup(t);
  const identity = setup.vector("sops/types.key");
  for (const name of ["types.yaml", "types.json"]) {
    const path = setup.vector(`sops/${name}`);
    assert.equal(await setup.read(sops(path, "secret", identity)), "this is a secret", name);
    assert.equal(await setup.read(sops(path, "complex/value", identity)), "this is a secret");
    assert.equal(await setup.read(sops(path, "complex/array/2", identity)), "three");
    assert.match(await setup.read(sops(path, "int", identity)), /^\d$/);
    assert.equal(await setup.read(sops(path, "float", identity)), "3.14");
    assert.equal(await setup.read(sops(path, "boolean", identity)), "True");
  }
});

test("sopsStore.read() opens by an age identity and by an SSH key as sops-nix does", async (t) => {
  const setup = new StoreSetup(t);
  const path = setup.vector("sops/nested.yaml");
  for (const key of ["nested.key", "nested.ssh"]) {
    const identity = setup.vector(`sops/${key}`);
    assert.equal(await setup.read(sops(path, "test_key", identity)), "test_value", key);
    assert.equal(await setup.read(sops(path, "nested/test/file", identity)), "another value");
  }
});

test("sopsStore.read() says which way a file can't be used", async (t) => {
  const setup = new StoreSetup(t);
  const identity = setup.vector("sops/nested.key");
  const path = setup.vector("sops/nested.yaml");
  await setup.fails(sops(path, "nothing", identity), "missing", /no value at "nothing"/);
  await setup.fails(sops(path, "nested/test", identity), "missing", /not one value/);
  await setup.fails(sops(path, "sops/version", identity), "missing");
  await setup.fails(sops(setup.at("none"), "a", identity), "missing");
  await setup.fails(sops(path, "test_key", setup.at("none")), "missing", /no identity/);
  const other = setup.write("other", `${await generateX25519Identity()}\n`);
  await setup.fails(sops(path, "test_key", other), "wrong-recipient");
  await setup.fails(sops(setup.vector("sops/types.yaml"), "secret", identity), "wrong-recipient");
  chmodSync(identity, 0o644);
  await setup.fails(sops(path, "test_key", identity), "unsafe-mode", /others may read identity/);
});

const ALTERATIONS: readonly (readonly [string, RegExp | string, string, string])[] = [
  ["a bit of the wanted value", "data:2mP+", "data:3mP+", "damaged"],
  ["a bit of another value", "data:9YhsaX", "data:8YhsaX", "damaged"],
  ["a value under another key", "test_key:", "best_key:", "damaged"],
  ["two values of a list exchanged", /( +- ENC\[.*\n)( +- ENC\[.*\n)/, "$2$1", "wrong-mac"],
  ["a value left out", / {4}- ENC\[.*\n/, "", "wrong-mac"],
  ["a plain value put in", "nested:", "more_unencrypted: 1\nnested:", "wrong-mac"],
  ["the time of change", "2021-09-30T19:49:41Z", "2021-09-30T19:49:42Z", "wrong-mac"],
  ["the MAC", "data:WQjpNaji", "data:XQjpNaji", "wrong-mac"],
  ["no MAC at all", / {4}mac: .*\n/, "", "wrong-mac"],
  [
    "what isn't encrypted",
    "unencrypted_suffix: _unencrypted",
    "unencrypted_suffix: _key",
    "wrong-mac",
  ],
  ["the sealed data key", "hM/Cc6xN1xk", "iM/Cc6xN1xk", "damaged"],
  ["half of it cut off", /nested:[\s\S]*$/, "", "damaged"],
  ["another format", /^[\s\S]*$/, `${MARK}\n`, "damaged"],
  ["broken YAML", "nested:", `nested: "${MARK}`, "damaged"],
];
for (const [what, from, to, code] of ALTERATIONS) {
  test(`sopsStore.read() notices an altered file: ${what}`, async (t) => {
    const setup = new StoreSetup(t);
    const identity = setup.vector("sops/nested.key");
    const path = setup.vector("sops/nested.yaml");
    const text = readFileSync(path, "utf8");
    const altered = text.replace(from, to);
    assert.notEqual(altered, text);
    writeFileSync(path, altered);
    await setup.fails(sops(path, "test_key", identity), code as "damaged");
  });
}

test("sopsStore.read() refuses what it can't check rather than to leave the check out", async (t) => {
  const setup = new StoreSetup(t);
  const identity = setup.vector("sops/nested.key");
  const text = readFileSync(setup.vector("sops/nested.yaml"), "utf8");
  const with_ = (name: string, altered: string): string => setup.write(name, altered);
  const comments = with_(
    "a",
    text.replace("    version:", "    encrypted_comment_regex: x\n    version:"),
  );
  await setup.fails(
    sops(comments, "test_key", identity),
    "unsupported",
    /rules that go by comments/,
  );
  await setup.fails(sops(with_("b", `${text}\n---\na: 1\n`), "test_key", identity), "unsupported");
  const groups = with_("c", text.replace("    version:", "    shamir_threshold: 2\n    version:"));
  await setup.fails(sops(groups, "test_key", identity), "unsupported", /key groups/);
  const none = with_("d", text.replace(/ {4}age:[\s\S]*?( {4}lastmodified)/, "    age: []\n$1"));
  await setup.fails(sops(none, "test_key", identity), "unsupported", /no age recipient/);
});

test("sopsStore.read() opens a file whose identity has a passphrase", async (t) => {
  const setup = new StoreSetup(t);
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.setPassphrase("four words of passphrase");
  encrypter.setScryptWorkFactor(10);
  const plain = readFileSync(setup.vector("sops/nested.key"));
  const identity = setup.write("key.age", await encrypter.encrypt(plain));
  const passphrase = {
    store: "file",
    path: setup.write("words", "four words of passphrase\n"),
  } as const;
  const source = sops(setup.vector("sops/nested.yaml"), "test_key", identity);
  assert.equal(await setup.read({ ...source, passphrase }), "test_value");
  await setup.fails(source, "locked", /needs its passphrase/);
  const wrong = { store: "file", path: setup.write("wrong", MARK) } as const;
  await setup.fails({ ...source, passphrase: wrong }, "wrong-passphrase");
});
