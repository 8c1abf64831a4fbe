import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
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
import { promisify, inspect } from "node:util";
import { Encrypter, identityToRecipient } from "age-encryption";
import { createVault, locateVault, newIdentityPath, openVault, SecretError } from "./index.ts";
import { secretFromInput, SecretValue, type SecretErrorCode, type VaultLocation } from "./index.ts";

const run = promisify(execFile);
const MARK = "real-value-7f3a9c";

function place(t: TestContext): VaultLocation & { folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "seawall-vault-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    file: join(folder, "vault.age"),
    identity: join(folder, "vault.key"),
    waitMs: 0,
  };
}

/** The error's code is right, and nowhere in it is the marked value or an identity. */
function fails(code: SecretErrorCode, hint?: RegExp): (error: unknown) => true {
  return (error) => {
    assert(error instanceof SecretError, inspect(error));
    assert.equal(error.code, code, error.message);
    if (hint !== undefined) assert.match(error.hint ?? "", hint);
    const everything = inspect(error, { depth: 9, showHidden: true }) + String(error.stack);
    assert(!everything.includes("real-value"), everything);
    assert(!everything.includes("AGE-SECRET-KEY-1"), everything);
    return true;
  };
}

const has = async (command: string): Promise<boolean> =>
  run("sh", ["-c", `command -v ${command}`]).then(
    () => true,
    () => false,
  );
const needs = async (...commands: string[]): Promise<{ skip: string | false }> => {
  for (const command of commands)
    if (!(await has(command))) return { skip: `${command} is missing` };
  return { skip: false };
};

/** Encrypts any text to the vault's identity, as somebody with the public key could. */
async function forge(at: VaultLocation, text: string): Promise<void> {
  const identity = /^AGE-SECRET-KEY-1.*$/m.exec(readFileSync(at.identity, "utf8"))?.[0] ?? "";
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  writeFileSync(at.file, await encrypter.encrypt(text));
}

/** Runs TypeScript in a Node of its own, with the room's exports in scope. */
function childNode(code: string): string[] {
  const room = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  const imports = `import { createVault, openVault, SecretValue } from ${room};`;
  return ["--input-type=module-typescript", "-e", imports + code];
}

test("Vault keeps, lists, reads and removes secrets, for whoever opens it next", async (t) => {
  const at = place(t);
  const vault = await createVault(at);
  await vault.set("telegram", new SecretValue("42:x"));
  await vault.set("anthropic", new SecretValue(MARK));
  await vault.set("telegram", new SecretValue("43:ü\nzwei"));
  const again = await openVault(at);
  assert.deepEqual(
    (await again.list()).map((secret) => secret.name),
    ["anthropic", "telegram"],
  );
  assert.equal((await again.read("telegram")).revealSecret(), "43:ü\nzwei");
  assert.equal((await again.read("anthropic")).revealSecret(), MARK);
  await again.rm("anthropic");
  await assert.rejects(vault.read("anthropic"), fails("missing", /secret set anthropic/));
  await assert.rejects(vault.rm("anthropic"), fails("missing"));
  assert.equal((await vault.list()).length, 1);
});

test("Vault.list() gives names and times, nothing of the values", async (t) => {
  const vault = await createVault(place(t));
  await vault.set("a", new SecretValue(MARK));
  const [entry] = await vault.list();
  assert.deepEqual(Object.keys(entry ?? {}), ["name", "updated"]);
  assert.match(entry?.updated ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
});

test("Vault shows neither values nor the identity when printed", async (t) => {
  const vault = await createVault(place(t));
  await vault.set("a", new SecretValue(MARK));
  const shown = inspect([vault, await vault.read("a")], { depth: 9, showHidden: true });
  assert.doesNotMatch(
    shown + JSON.stringify([vault, await vault.read("a")]),
    /real-value|SECRET-KEY/,
  );
});

test("createVault() makes files for the owner only, and no value lies in them", async (t) => {
  const outer = place(t);
  const folder = join(outer.folder, "deep", "secrets");
  const at = { file: join(folder, "vault.age"), identity: join(folder, "vault.key") };
  const vault = await createVault(at);
  await vault.set("a", new SecretValue(MARK));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(folder).toSorted(), ["vault.age", "vault.key", "vault.lock"]);
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    assert(!readFileSync(join(folder, name)).includes("real-value"));
  }
});

test("createVault() refuses to replace a vault, also when two make it at once", async (t) => {
  const at = { ...place(t), waitMs: 20_000 };
  const made = await Promise.allSettled([createVault(at), createVault(at)]);
  assert.equal(made.filter((result) => result.status === "fulfilled").length, 1);
  await assert.rejects(createVault(at), fails("exists"));
  await openVault(at);
});

test("createVault() finishes a creation that was cut short after the identity", async (t) => {
  const at = place(t);
  await createVault(at);
  const identity = readFileSync(at.identity, "utf8");
  rmSync(at.file);
  await createVault(at);
  assert.equal(readFileSync(at.identity, "utf8"), identity);
  await openVault(at);
});

test("createVault() makes no identity beside the vault of another", async (t) => {
  const at = place(t);
  await createVault(at);
  rmSync(at.identity);
  await assert.rejects(createVault(at), fails("exists"));
  assert(!existsSync(at.identity));
  await assert.rejects(openVault(at), fails("missing"));
});

test("locateVault() tells what is there and whether it takes a passphrase", async (t) => {
  const { folder } = place(t);
  assert.deepEqual(await locateVault(folder), {
    file: join(folder, "vault.age"),
    identity: join(folder, "vault.key"),
    exists: false,
    sealed: false,
  });
  writeFileSync(newIdentityPath(folder, true), "");
  assert.equal((await locateVault(folder)).sealed, true);
  writeFileSync(newIdentityPath(folder, false), "");
  assert.equal((await locateVault(folder)).sealed, false);
});

test("Vault.set() takes only names it can keep, and doesn't repeat a wrong one", async (t) => {
  const vault = await createVault(place(t));
  const bad = ["", "A", ".a", "-a", "a/b", "a b", "ä", "a".repeat(64), MARK.toUpperCase(), "a\n"];
  for (const name of [...bad, "__proto__"]) {
    await assert.rejects(vault.set(name, new SecretValue("x")), fails("invalid-name"), name);
  }
  for (const name of ["a", "0", "a.b_c-d", "constructor", "tostring", "a".repeat(63)]) {
    await vault.set(name, new SecretValue(`value of ${name}`));
    assert.equal((await vault.read(name)).revealSecret(), `value of ${name}`);
  }
  await assert.rejects(vault.read("valueof"), fails("missing"));
});

test("Vault.set() takes only values a call can carry", async (t) => {
  const vault = await createVault(place(t));
  for (const value of [`${MARK}\0`, `${MARK}\ud800`])
    await assert.rejects(vault.set("a", new SecretValue(value)), fails("invalid-value"));
  await assert.rejects(vault.set("a", new SecretValue("")), fails("empty-value"));
  for (const value of [MARK.repeat(5000), MARK.repeat(600_000)])
    await assert.rejects(vault.set("a", new SecretValue(value)), fails("oversized-value"));
  await vault.set("a", new SecretValue("x".repeat(65536)));
  assert.equal((await vault.read("a")).revealSecret().length, 65536);
});

const read = (text: string): string => secretFromInput(Buffer.from(text)).revealSecret();

test("secretFromInput() strips one line end and refuses what is not UTF-8", () => {
  assert.equal(read("key\n"), "key");
  assert.equal(read("key\r\n"), "key");
  assert.equal(read(" key\n\n"), " key\n");
  assert.throws(() => read("\n"), fails("empty-value"));
  assert.throws(() => secretFromInput(Buffer.of(0x6b, 0xff)), fails("invalid-value", /base64/));
});

for (const name of ["vault.age", "vault.key"]) {
  test(`openVault() refuses a ${name} that others may read or write`, async (t) => {
    const at = place(t);
    await createVault(at);
    for (const mode of [0o640, 0o620, 0o604, 0o602, 0o610, 0o644]) {
      chmodSync(join(at.folder, name), mode);
      const hint = new RegExp(`^chmod 600 .*${name}$`);
      await assert.rejects(openVault(at), fails("unsafe-mode", hint), mode.toString(8));
    }
    chmodSync(join(at.folder, name), 0o400);
    await openVault(at);
  });

  test(
    `openVault() refuses a ${name} of somebody else`,
    { skip: process.geteuid?.() === 0 ? false : "giving a file away takes root" },
    async (t) => {
      const at = place(t);
      await createVault(at);
      chownSync(join(at.folder, name), 4242, 0);
      await assert.rejects(openVault(at), fails("unsafe-mode", /^chown 0 /));
    },
  );

  test(`openVault() refuses a FIFO as ${name} without waiting for its writer`, async (t) => {
    const at = place(t);
    await createVault(at);
    rmSync(join(at.folder, name));
    await run("mkfifo", ["-m", "600", join(at.folder, name)]);
    await assert.rejects(openVault(at), fails("unsafe-mode"));
  });
}

test("openVault() refuses a folder in which others could exchange the vault", async (t) => {
  const at = place(t);
  const vault = await createVault(at);
  chmodSync(at.folder, 0o770);
  await assert.rejects(openVault(at), fails("unsafe-mode", /^chmod 700 /));
  await assert.rejects(vault.set("a", new SecretValue("x")), fails("unsafe-mode"));
  await assert.rejects(createVault(at), fails("unsafe-mode"));
});

test("openVault() refuses a symbolic link as vault", async (t) => {
  const at = place(t);
  await createVault(at);
  renameSync(at.file, join(at.folder, "elsewhere"));
  symlinkSync("elsewhere", at.file);
  await assert.rejects(openVault(at), fails("unsafe-mode"));
});

test("openVault() says damaged for any change to the file, and keeps the file", async (t) => {
  const at = place(t);
  const vault = await createVault(at);
  await vault.set("a", new SecretValue(MARK));
  const good = readFileSync(at.file);
  const middle = good.length >> 1;
  const broken = [
    Buffer.alloc(0),
    good.subarray(0, -1),
    good.subarray(0, middle),
    Buffer.concat([good, Buffer.of(10)]),
    Buffer.from(good.map((byte, index) => (index === good.length - 20 ? byte ^ 1 : byte))),
    Buffer.from(MARK),
  ];
  for (const bytes of broken) {
    writeFileSync(at.file, bytes);
    await assert.rejects(openVault(at), fails("damaged"));
    await assert.rejects(vault.set("b", new SecretValue("x")), fails("damaged"));
    assert(readFileSync(at.file).equals(bytes));
  }
});

test("openVault() repeats nothing of what it finds inside a forged vault", async (t) => {
  const at = place(t);
  await createVault(at);
  const updated = "2026-01-01T00:00:00.000Z";
  const documents = [
    MARK,
    `{"version":1,"secrets":{"a":{"value":"${MARK}" oops`,
    `{"version":2,"${MARK}":1}`,
    JSON.stringify({ version: 1, secrets: { [MARK.toUpperCase()]: { value: "x", updated } } }),
    JSON.stringify({ version: 1, secrets: { a: { value: `${MARK}\0`, updated } } }),
    JSON.stringify({ version: 1, secrets: { a: { value: MARK, updated: MARK } } }),
    JSON.stringify({ version: 1, secrets: { a: MARK } }),
    JSON.stringify({ version: 1, secrets: [MARK] }),
    JSON.stringify({ version: 1, secrets: {}, [MARK]: 1 }),
    `{"version":1,"secrets":{"__proto__":{"value":"${MARK}","updated":"${updated}"}}}`,
    "null",
  ];
  for (const text of documents) {
    await forge(at, text);
    await assert.rejects(openVault(at), fails("damaged"), text);
  }
  await forge(at, JSON.stringify({ version: 1, secrets: { a: { value: MARK, updated } } }));
  assert.equal((await (await openVault(at)).read("a")).revealSecret(), MARK);
});

test("openVault() repeats nothing of a damaged identity", async (t) => {
  const at = place(t);
  await createVault(at);
  const good = readFileSync(at.identity, "utf8");
  const typo = good.replace(/..\n$/, "QQ\n");
  for (const text of [typo, good + good, "", MARK, good.toLowerCase(), good.slice(0, -3)]) {
    writeFileSync(at.identity, text);
    await assert.rejects(openVault(at), fails("damaged"));
  }
});

test("openVault() says that it was made for another when the identity is another vault's", async (t) => {
  const [one, two] = [place(t), place(t)];
  await createVault(one);
  await createVault(two);
  await assert.rejects(openVault({ ...one, identity: two.identity }), fails("wrong-recipient"));
});

test("openVault() with a passphrase opens with that one only", async (t) => {
  const at = { ...place(t), passphrase: new SecretValue(MARK) };
  await (await createVault(at)).set("a", new SecretValue("x"));
  assert.equal((await (await openVault(at)).read("a")).revealSecret(), "x");
  assert.match(readFileSync(at.identity, "latin1"), /^age-encryption.org\/v1\n-> scrypt \S+ 18\n/);
  const { passphrase, ...without } = at;
  await assert.rejects(openVault(without), fails("locked"));
  const wrong = new SecretValue("real-value, but wrong");
  await assert.rejects(openVault({ ...at, passphrase: wrong }), fails("wrong-passphrase"));
  await assert.rejects(
    createVault({ ...place(t), passphrase: new SecretValue("") }),
    fails("empty-value"),
  );
  const plain = place(t);
  await createVault(plain);
  await assert.rejects(openVault({ ...plain, passphrase }), fails("locked"));
});

test("age decrypts what the vault writes", await needs("age"), async (t) => {
  const at = place(t);
  await (await createVault(at)).set("a", new SecretValue(MARK));
  const { stdout } = await run("age", ["-d", "-i", at.identity, at.file]);
  const inside = JSON.parse(stdout) as { version: number; secrets: { a: { value: string } } };
  assert.equal(inside.version, 1);
  assert.equal(inside.secrets.a.value, MARK);
});

test(
  "the vault reads what age and age-keygen write",
  await needs("age", "age-keygen"),
  async (t) => {
    const at = place(t);
    await run("age-keygen", ["-o", at.identity]);
    const { stdout: recipient } = await run("age-keygen", ["-y", at.identity]);
    const plain = join(at.folder, "plain");
    const entry = { value: MARK, updated: "2026-01-01T00:00:00Z" };
    writeFileSync(plain, JSON.stringify({ version: 1, secrets: { a: entry } }));
    await run("age", ["-r", recipient.trim(), "-o", at.file, plain]);
    chmodSync(at.file, 0o600);
    const vault = await openVault(at);
    assert.equal((await vault.read("a")).revealSecret(), MARK);
    await vault.set("b", new SecretValue("x"));
    assert.equal((await vault.list()).length, 2);
  },
);

test(
  "age opens an identity with a passphrase, and with it the vault",
  await needs("age", "script"),
  async (t) => {
    const at = { ...place(t), passphrase: new SecretValue("four random words here") };
    await (await createVault(at)).set("a", new SecretValue(MARK));
    const out = join(at.folder, "out");
    // age asks on the terminal only; script(1) gives it one.
    const child = spawn(
      "script",
      ["-qec", `age -d -i ${at.identity} -o ${out} ${at.file}`, "/dev/null"],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    let asked = false;
    child.stdout.on("data", (text: Buffer) => {
      if (asked || !text.includes("passphrase")) return;
      asked = true;
      child.stdin.write("four random words here\n");
    });
    const [status] = (await once(child, "close")) as [number];
    assert.equal(status, 0);
    assert(readFileSync(out, "utf8").includes(MARK));
  },
);

test("Vault.set() in many processes and callers at once loses nothing", async (t) => {
  const at = { ...place(t), waitMs: 60_000 };
  await createVault(at);
  const code = (start: number): string => `
    const vault = await openVault(${JSON.stringify(at)});
    const names = [0, 1, 2, 3].map((n) => "s" + (${start} + n));
    await Promise.all(names.map((name) => vault.set(name, new SecretValue(name))));`;
  await Promise.all([0, 10, 20].map((start) => run(process.execPath, childNode(code(start)))));
  assert.equal((await (await openVault(at)).list()).length, 12);
});

test("Vault.set() says busy while another process writes, and goes on once that is killed", async (t) => {
  const at = place(t);
  const vault = await createVault(at);
  const lock = JSON.stringify(new URL("./withVaultLock.ts", import.meta.url).href);
  const file = JSON.stringify(join(at.folder, "vault.lock"));
  // A promise that nothing keeps alive would be collected, and the lock with it.
  const code = `
    import { withVaultLock } from ${lock};
    await withVaultLock(${file}, 0, () => { console.log("held"); return new Promise((ends) => setTimeout(ends, 1e9)); });`;
  const holder = spawn(process.execPath, childNode(code), { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  await assert.rejects(vault.set("a", new SecretValue(MARK)), fails("busy"));
  assert.deepEqual(await vault.list(), [], "reading needs no lock");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  assert.deepEqual(readdirSync(at.folder).toSorted(), ["vault.age", "vault.key", "vault.lock"]);
  await vault.set("a", new SecretValue(MARK));
});

test("Vault.set() clears away what a writer that died has left", async (t) => {
  const at = place(t);
  const vault = await createVault(at);
  writeFileSync(join(at.folder, ".vault.age.new-0011"), "half");
  await vault.set("a", new SecretValue("x"));
  assert.deepEqual(readdirSync(at.folder).toSorted(), ["vault.age", "vault.key", "vault.lock"]);
});

const namespaces = await run("unshare", ["-Urm", "true"]).then(
  () => false as const,
  () => "unshare can't make a user namespace here",
);

test("Vault.set() on a full disk says so and loses nothing", { skip: namespaces }, async (t) => {
  const { folder } = place(t);
  const mount = join(folder, "small");
  mkdirSync(mount, { mode: 0o700 });
  const at = { file: join(mount, "vault.age"), identity: join(mount, "vault.key"), waitMs: 0 };
  const code = `
    import { readdirSync, writeFileSync } from "node:fs";
    const vault = await createVault(${JSON.stringify(at)});
    await vault.set("kept", new SecretValue("still here"));
    try { writeFileSync(${JSON.stringify(join(mount, "filler"))}, Buffer.alloc(1 << 20)); } catch {}
    const error = await vault.set("big", new SecretValue("${MARK}".repeat(1000))).catch((e) => e);
    const kept = (await (await openVault(${JSON.stringify(at)})).read("kept")).revealSecret();
    const { code, message } = error;
    console.log(JSON.stringify({ code, message, kept, files: readdirSync(${JSON.stringify(mount)}) }));`;
  // The tmpfs goes with the namespace, when the last process in it ends.
  const script = 'mount -t tmpfs -o size=128k,mode=700 tmpfs "$0" && exec "$@"';
  const { stdout } = await run("unshare", [
    "-Urm",
    "sh",
    "-c",
    script,
    mount,
    process.execPath,
    ...childNode(code),
  ]);
  assert.deepEqual(JSON.parse(stdout), {
    code: "disk",
    message: `can't write "${at.file}": no space is left on the disk`,
    kept: "still here",
    // A failed write leaves nothing of itself behind either.
    files: ["filler", "vault.age", "vault.key", "vault.lock"],
  });
});
