import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Encrypter, generateHybridIdentity } from "age-encryption";
import { MARK, needs, run, StoreSetup } from "./testing/storeSetup.ts";

const age = (path: string, identity: string) => ({ store: "age", path, identity }) as const;

/** age itself, from Debian, encrypts it. */
async function encrypt(setup: StoreSetup, args: readonly string[], text = MARK): Promise<string> {
  const plain = setup.write("plain", text);
  const path = setup.at("made.age");
  await run("age", [...args, "-o", path, plain]);
  return path;
}

async function keyPair(setup: StoreSetup): Promise<{ identity: string; recipient: string }> {
  const identity = setup.at("identity");
  await run("age-keygen", ["-o", identity]);
  const { stdout } = await run("age-keygen", ["-y", identity]);
  return { identity, recipient: stdout.trim() };
}

test(
  "ageStore.read() opens what age encrypts to an identity, binary and armored",
  needs("age"),
  async (t) => {
    const setup = new StoreSetup(t);
    const { identity, recipient } = await keyPair(setup);
    for (const armor of [[], ["-a"]]) {
      const path = await encrypt(setup, [...armor, "-r", recipient]);
      assert.equal(await setup.read(age(path, identity)), MARK);
    }
  },
);

for (const [type, ...args] of [
  ["ed25519"],
  ["rsa", "-b", "3072"],
  ["rsa", "-b", "2048", "-m", "PEM"],
]) {
  test(
    `ageStore.read() opens what age encrypts to an SSH key: ${[type, ...args].join(" ")}`,
    needs("age", "ssh-keygen"),
    async (t) => {
      const setup = new StoreSetup(t);
      const key = setup.at("key");
      await run("ssh-keygen", ["-q", "-t", type ?? "", ...args, "-N", "", "-C", "", "-f", key]);
      await run("ssh-keygen", [
        "-q",
        "-t",
        type ?? "",
        "-N",
        "",
        "-C",
        "",
        "-f",
        setup.at("other"),
      ]);
      // As agenix does: for several people, one of whom is us.
      const path = await encrypt(setup, ["-a", "-R", setup.at("other.pub"), "-R", `${key}.pub`]);
      assert.equal(await setup.read(age(path, key)), MARK);
      assert.equal(await setup.read(age(path, setup.at("other"))), MARK);
      const single = await encrypt(setup, ["-R", `${key}.pub`]);
      await setup.fails(age(single, setup.at("other")), "wrong-recipient");
      const bytes = readFileSync(single);
      const at = bytes.indexOf("-> ssh") + 40;
      writeFileSync(
        single,
        bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)),
      );
      await setup.fails(age(single, key), "damaged");
    },
  );
}

test(
  "ageStore.read() reads an agenix folder: each file for the people that secrets.nix names",
  needs("age", "ssh-keygen"),
  async (t) => {
    const setup = new StoreSetup(t);
    for (const name of ["user", "host"])
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", setup.at(name)]);
    // What agenix runs: `age` with each of publicKeys as a recipient, `-a` where armor is asked for.
    const publicKey = (name: string): string =>
      readFileSync(setup.at(`${name}.pub`), "utf8").trim();
    const seal = async (name: string, args: readonly string[], people: readonly string[]) => {
      const recipients = people.flatMap((each) => ["-r", publicKey(each)]);
      await run("age", [...args, ...recipients, "-o", setup.at(name), setup.write("plain", MARK)]);
      chmodSync(setup.at(name), 0o644);
      return setup.at(name);
    };
    const both = await seal("both.age", [], ["user", "host"]);
    assert.equal(await setup.read(age(both, setup.at("user"))), MARK);
    assert.equal(await setup.read(age(both, setup.at("host"))), MARK);
    const one = await seal("one.age", ["-a"], ["user"]);
    assert.equal(await setup.read(age(one, setup.at("user"))), MARK);
    await setup.fails(age(one, setup.at("host")), "wrong-recipient");
  },
);

test(
  "ageStore.read() opens what age encrypts with a passphrase",
  needs("age", "script"),
  async (t) => {
    const setup = new StoreSetup(t);
    const path = setup.at("sealed.age");
    setup.write("plain", MARK);
    // age asks on the terminal only; script(1) gives it one.
    const line = `exec age -p -o ${path} ${setup.at("plain")}`;
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      env: { ...process.env, SHELL: "/bin/sh" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    let seen = "";
    let answered = 0;
    child.stdout.on("data", (text: Buffer) => {
      seen += text.toString();
      const asked = seen.split(/(?:Enter|Confirm) passphrase/).length - 1;
      for (; answered < asked; answered++) child.stdin.write("four random words here\n");
    });
    await once(child, "close");
    const passphrase = {
      store: "file",
      path: setup.write("words", "four random words here\n"),
    } as const;
    assert.equal(await setup.read({ store: "age", path, passphrase }), MARK);
    const wrong = { store: "file", path: setup.write("wrong", "other words\n") } as const;
    await setup.fails({ store: "age", path, passphrase: wrong }, "wrong-passphrase");
  },
);

test("ageStore.read() tells what is wrong with a file", needs("age"), async (t) => {
  const setup = new StoreSetup(t);
  const { identity, recipient } = await keyPair(setup);
  const path = await encrypt(setup, ["-r", recipient]);
  const good = readFileSync(path);
  const flip = (at: number): Buffer =>
    Buffer.from(good.map((byte, i) => (i === at ? byte ^ 1 : byte)));
  const broken = [
    Buffer.alloc(0),
    good.subarray(0, 20),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    flip(good.length - 3),
    flip(good.indexOf("---") + 6),
    Buffer.from(MARK),
    Buffer.from(`-----BEGIN AGE ENCRYPTED FILE-----\n${MARK}\n`),
  ];
  for (const [index, bytes] of broken.entries()) {
    await setup.fails(age(setup.write(`broken-${index}`, bytes), identity), "damaged");
  }
  await setup.fails(age(setup.at("nothing"), identity), "missing", /no age file/);
  await setup.fails(age(setup.write("big", Buffer.alloc(10_000_000)), identity), "oversized-value");
  await setup.fails(age(await encrypt(setup, ["-r", recipient], ""), identity), "empty-value");
  await setup.fails(
    age(await encrypt(setup, ["-r", recipient], `${MARK}\0`), identity),
    "invalid-value",
  );
  const big = await encrypt(setup, ["-r", recipient], MARK.repeat(4_000));
  await setup.fails(age(big, identity), "oversized-value");
});

test(
  "ageStore.read() tells what is wrong with an identity",
  needs("age", "ssh-keygen"),
  async (t) => {
    const setup = new StoreSetup(t);
    const { identity, recipient } = await keyPair(setup);
    const path = await encrypt(setup, ["-r", recipient]);
    const good = readFileSync(identity, "utf8");
    for (const text of ["", "# nothing\n", good.toLowerCase(), good.slice(0, -3), MARK])
      await setup.fails(age(path, setup.write("bad", text)), "damaged");
    for (const mode of [0o644, 0o640, 0o660]) {
      chmodSync(identity, mode);
      await setup.fails(age(path, identity), "unsafe-mode", /identity/);
    }
    chmodSync(identity, 0o600);
    await setup.fails(age(path, setup.at("nothing")), "missing", /no identity/);
    const post = await generateHybridIdentity();
    await setup.fails(age(path, setup.write("pq", `${post}\n`)), "unsupported");
    await setup.fails(age(path, setup.write("plugin", "AGE-PLUGIN-YUBIKEY-1QQ\n")), "unsupported");
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "words", "-f", setup.at("sealed")]);
    await setup.fails(age(path, setup.at("sealed")), "unsupported", /passphrase of its own/);
    await run("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-f", setup.at("ecdsa")]);
    await setup.fails(age(path, setup.at("ecdsa")), "unsupported", /neither/);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", setup.at("cut")]);
    const key = readFileSync(setup.at("cut"), "utf8");
    for (const at of [60, 200, 300])
      await setup.fails(age(path, setup.write("cut", key.slice(0, at))), "damaged");
    // Several identities in one file: any may open it.
    const { stdout } = await run("age-keygen", []);
    assert.equal(await setup.read(age(path, setup.write("two", stdout + good))), MARK);
    symlinkSync(identity, setup.at("link"));
    assert.equal(await setup.read(age(path, setup.at("link"))), MARK);
  },
);

test("ageStore.read() refuses a passphrase file whose scrypt work would be an attack", async (t) => {
  const setup = new StoreSetup(t);
  const encrypter = new Encrypter();
  encrypter.setPassphrase("words words words");
  encrypter.setScryptWorkFactor(10);
  const text = Buffer.from(await encrypter.encrypt(MARK)).toString("latin1");
  const path = setup.write("x.age", Buffer.from(text.replace(/ 10\n/, " 40\n"), "latin1"));
  const passphrase = { store: "file", path: setup.write("words", "words words words") } as const;
  await setup.fails({ store: "age", path, passphrase }, "damaged");
});
