import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { makeSops, recipientOfSshKey } from "./testing/makeSops.ts";
import { MARK, needs, run, StoreSetup } from "./testing/storeSetup.ts";

const sops = (path: string, key: string, identity: string) =>
  ({ store: "sops", path, key: key.split("/"), identity }) as const;

/** One tree in both forms, for an identity of age and for an SSH key as ssh-to-age makes one of it. */
const TREE = {
  test_key: "test_value",
  a_list: ["one", "two", "three"],
  nested: { test: { file: "another value" } },
  int: { type: "int", text: "7" },
  float: { type: "float", text: "3.14" },
  boolean: { type: "bool", text: "True" },
  region_unencrypted: { plain: "north" },
} as const;

async function made(
  setup: StoreSetup,
  form: "yaml" | "json" = "yaml",
): Promise<{ path: string; identity: string; text: string }> {
  const secret = await generateX25519Identity();
  const others = await generateX25519Identity();
  const recipients = await Promise.all([others, secret].map(identityToRecipient));
  const text = await makeSops(TREE, recipients, form);
  const path = setup.write(`secrets.${form}`, text);
  return { path, identity: setup.write("identity", `# age\n${secret}\n`), text };
}

test("sopsStore.read() reads every type, of YAML and of JSON", async (t) => {
  for (const form of ["yaml", "json"] as const) {
    const setup = new StoreSetup(t);
    const { path, identity } = await made(setup, form);
    const read = (key: string) => setup.read(sops(path, key, identity));
    assert.equal(await read("test_key"), "test_value", form);
    assert.equal(await read("nested/test/file"), "another value");
    assert.equal(await read("a_list/2"), "three");
    assert.equal(await read("int"), "7");
    assert.equal(await read("float"), "3.14");
    assert.equal(await read("boolean"), "True");
    assert.equal(await read("region_unencrypted"), "north");
  }
});

test(
  "sopsStore.read() opens by an SSH key, as an age identity made of it does",
  needs("ssh-keygen"),
  async (t) => {
    const setup = new StoreSetup(t);
    const key = setup.at("key");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
    const recipient = recipientOfSshKey(readFileSync(`${key}.pub`, "utf8"));
    const path = setup.write("secrets.yaml", await makeSops(TREE, [recipient], "yaml"));
    assert.equal(await setup.read(sops(path, "test_key", key)), "test_value");
  },
);

test("sopsStore.read() says which way a file can't be used", async (t) => {
  const setup = new StoreSetup(t);
  const { path, identity } = await made(setup);
  await setup.fails(sops(path, "nothing", identity), "missing", /no value at "nothing"/);
  await setup.fails(sops(path, "nested/test", identity), "missing", /not one value/);
  await setup.fails(sops(path, "sops/version", identity), "missing");
  await setup.fails(sops(setup.at("none"), "a", identity), "missing");
  await setup.fails(sops(path, "test_key", setup.at("none")), "missing", /no identity/);
  const other = setup.write("other", `${await generateX25519Identity()}\n`);
  await setup.fails(sops(path, "test_key", other), "wrong-recipient");
  chmodSync(identity, 0o644);
  await setup.fails(sops(path, "test_key", identity), "unsafe-mode", /others may read identity/);
});

/** Another letter in the place of the one after `before`. */
const flip = (before: RegExp) => (text: string) =>
  text.replace(before, (found) => `${found.slice(0, -1)}${found.endsWith("A") ? "B" : "A"}`);
const put = (from: RegExp | string, to: string) => (text: string) => text.replace(from, to);

const ALTERATIONS: readonly (readonly [string, (text: string) => string, string])[] = [
  ["a bit of the wanted value", flip(/test_key: ENC\[AES256_GCM,data:./), "damaged"],
  ["a bit of another value", flip(/file: ENC\[AES256_GCM,data:./), "damaged"],
  ["a value under another key", put("test_key:", "best_key:"), "damaged"],
  ["two values of a list exchanged", put(/( +- ENC\[.*\n)( +- ENC\[.*\n)/, "$2$1"), "wrong-mac"],
  ["a value left out", put(/ {4}- ENC\[.*\n/, ""), "wrong-mac"],
  ["a plain value put in", put("nested:", "more_unencrypted: 1\nnested:"), "wrong-mac"],
  ["a plain value changed", put("north", "south"), "wrong-mac"],
  ["the time of change", put("2026-03-01T10:20:30Z", "2026-03-01T10:20:31Z"), "wrong-mac"],
  ["the MAC", flip(/mac: ENC\[AES256_GCM,data:./), "wrong-mac"],
  ["no MAC at all", put(/ {4}mac: .*\n/, ""), "wrong-mac"],
  ["what isn't encrypted", put("suffix: _unencrypted", "suffix: _key"), "damaged"],
  ["the sealed data key", flip(/.(?=={0,2}\n *-----END AGE)/g), "damaged"],
  ["half of it cut off", put(/nested:[\s\S]*$/, ""), "damaged"],
  ["another format", put(/^[\s\S]*$/, `${MARK}\n`), "damaged"],
  ["broken YAML", put("nested:", `nested: "${MARK}`), "damaged"],
];
for (const [what, alter, code] of ALTERATIONS) {
  test(`sopsStore.read() notices an altered file: ${what}`, async (t) => {
    const setup = new StoreSetup(t);
    const { path, identity, text } = await made(setup);
    const altered = alter(text);
    assert.notEqual(altered, text);
    writeFileSync(path, altered);
    await setup.fails(sops(path, "test_key", identity), code as "damaged");
  });
}

test("sopsStore.read() refuses what it can't check rather than to leave the check out", async (t) => {
  const setup = new StoreSetup(t);
  const { identity, text } = await made(setup);
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
  const open = await made(setup);
  const plain = readFileSync(open.identity);
  const identity = setup.write("key.age", await encrypter.encrypt(plain));
  const passphrase = {
    store: "file",
    path: setup.write("words", "four words of passphrase\n"),
  } as const;
  const source = sops(open.path, "test_key", identity);
  assert.equal(await setup.read({ ...source, passphrase }), "test_value");
  await setup.fails(source, "locked", /needs its passphrase/);
  const wrong = { store: "file", path: setup.write("wrong", MARK) } as const;
  await setup.fails({ ...source, passphrase: wrong }, "wrong-passphrase");
});
