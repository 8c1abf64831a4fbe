import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { openDirect } from "../src/secrets/index.ts";
import { needs } from "../src/secrets/testing/storeSetup.ts";
import { assertFailed, halfFiles, snapshot } from "./support/failures.ts";
import { lacking } from "./support/lacking.ts";
import { COMPILED, runSeawall, type Ran } from "./support/runSeawall.ts";

/** What leaves the vault by the command line, opened by Debian's own programs, and comes back. */

const MARK = "canary-of-the-files-0123456789";
const VALUES = { one: `${MARK}-one`, two: `${MARK}-two "quoted" ü` };
const MAIN = resolve(import.meta.dirname, "../src/cli/main.ts");
const PYTHON = "/usr/bin/python3";
const PERSON = resolve(import.meta.dirname, "support/terminal.py");
const sealing = spawnSync("systemd-creds", ["encrypt", "--name=x", "-", "-"], { input: "x" });

describe("secrets in files", needs("age", "age-keygen"), () => {
  const folder = mkdtempSync(join(tmpdir(), "seawall-files-"));
  const at = (name: string): string => join(folder, name);
  const identity = at("identity");
  const recipients = at("recipients");
  const printed: string[] = [];

  before(async () => {
    for (const name of ["state", "other"]) mkdirSync(at(name), { mode: 0o700 });
    execFileSync("age-keygen", ["-o", identity], { stdio: "ignore" });
    writeFileSync(recipients, execFileSync("age-keygen", ["-y", identity]));
    for (const [name, value] of Object.entries(VALUES)) await ok(["set", name], value);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(args: readonly string[], input = "", state = "state"): Promise<Ran> {
    const ran = await runSeawall(["secret", ...args], { state: at(state), cwd: folder, input });
    printed.push(ran.stdout, ran.stderr);
    return ran;
  }

  async function ok(args: readonly string[], input = "", state = "state"): Promise<string> {
    const ran = await run(args, input, state);
    assert.equal(ran.code, 0, `${args.join(" ")}: ${ran.stderr}`);
    return ran.stdout;
  }

  const opened = (file: string): string =>
    execFileSync("age", ["-d", "-i", identity, file], { encoding: "utf8" });

  for (const form of ["age", "agenix"]) {
    test(`seawall secret export --to ${form}: age opens what it wrote`, async () => {
      const out = at(`to-${form}`);
      await ok(["export", "one", "two", "--to", form, "--out", out, "--recipients", recipients]);
      for (const [name, value] of Object.entries(VALUES))
        assert.equal(opened(join(out, `${name}.age`)), value);
      const rules = join(out, "secrets.nix");
      assert.equal(existsSync(rules), form === "agenix");
      if (form === "agenix")
        assert.match(readFileSync(rules, "utf8"), /^ {2}"one\.age"\.publicKeys = \[ "age1/m);
      if (form === "agenix") return;
      const files = snapshot(out);
      const again = ["export", "one", "--to", form, "--out", out, "--recipients", recipients];
      assertFailed(await run(again), 1, /already a file/);
      assert.deepEqual(snapshot(out), files);
    });
  }

  test("seawall secret export --to sops: age opens its key, and seawall reads its values", async () => {
    const out = at("secrets.json");
    await ok(["export", "one", "two", "--to", "sops", "--out", out, "--recipients", recipients]);
    const document = JSON.parse(readFileSync(out, "utf8")) as {
      one: string;
      sops: { age: { enc: string }[] };
    };
    assert.match(document.one, /^ENC\[AES256_GCM,/);
    // The file's data key, for the one it was made for: 32 bytes.
    const key = spawnSync("age", ["-d", "-i", identity], { input: document.sops.age[0]?.enc });
    assert.deepEqual([key.status, key.stdout.length], [0, 32], String(key.stderr));
    const source = { store: "sops", path: out, key: ["one"], identity } as const;
    const settings = { vault: { file: at("none"), identity: at("none") } };
    assert.equal((await openDirect(settings).read(source)).revealSecret(), VALUES.one);
  });

  test(
    "seawall secret export --to systemd-creds: systemd-creds opens what it wrote",
    {
      skip: sealing.status === 0 ? false : "systemd-creds has neither host key nor TPM here",
    },
    async () => {
      const out = at("credentials");
      await ok(["export", "one", "two", "--to", "systemd-creds", "--out", out]);
      for (const [name, value] of Object.entries(VALUES)) {
        const words = ["decrypt", `--name=${name}`, join(out, name), "-"];
        assert.equal(execFileSync("systemd-creds", words, { encoding: "utf8" }).trimEnd(), value);
      }
    },
  );

  test("seawall secret export has no plain form, and writes nothing where it refuses", async () => {
    const out = at("refused");
    const to = (form: string): string[] => ["--to", form, "--out", out];
    for (const args of [to("plain"), ["--to", "age"]])
      assertFailed(await run(["export", "one", ...args]), 2, /--to names no form|--out is missing/);
    assertFailed(await run(["export", "one", ...to("age")]), 1, /nobody is named/);
    const both = ["--recipients", recipients, ...to("age")];
    assertFailed(await run(["export", "one", "none", ...both]), 1, /no secret "none"|"none"/);
    const wrong = ["--recipients", identity, ...to("age")];
    const ran = await run(["export", "one", ...wrong]);
    assertFailed(ran, 5, /one of the recipients is none/);
    assert.ok(!ran.stderr.includes("AGE-SECRET-KEY"));
    assert.ok(!existsSync(out));
  });

  test("seawall secret backup and restore: for public keys, whole or not at all", async () => {
    const file = at("backup.age");
    const stdout = await ok(["backup", file, "--recipients", recipients]);
    assert.match(stdout, /wrote 2 secrets/);
    for (const value of Object.values(VALUES))
      assert.ok(opened(file).includes(JSON.stringify(value)));
    assertFailed(await run(["backup", file, "--recipients", recipients]), 1, /already a file/);
    const restore = (path: string, ...more: string[]): Promise<Ran> =>
      run(["restore", path, "--identity", identity, ...more], "", "other");
    await ok(["set", "one"], `${MARK}-mine`, "other");
    const vault = join(at("other"), "vault/vault.age");
    const before = readFileSync(vault);
    const bytes = readFileSync(file);
    const damaged = {
      cut: bytes.subarray(0, -5),
      none: bytes.subarray(0, 0),
      turned: Buffer.from(bytes.map((byte, at_) => (at_ === bytes.length - 20 ? byte ^ 1 : byte))),
    };
    for (const [name, content] of Object.entries(damaged)) {
      writeFileSync(at(`${name}.age`), content, { mode: 0o600 });
      const ran = await restore(at(`${name}.age`), "--replace");
      assertFailed(ran, 5, /is damaged/);
      assert.deepEqual(readFileSync(vault), before, name);
    }
    assertFailed(await restore(file), 1, /other values of "one"/);
    assert.deepEqual(readFileSync(vault), before);
    assert.match((await restore(file, "--replace")).stdout, /^restored 2 secrets: one, two$/m);
    assert.deepEqual(halfFiles(at("other")), []);
    // By way of a form that another program opens.
    const out = at("again");
    const to = ["--to", "age", "--out", out, "--recipients", recipients];
    await ok(["export", "one", "two", ...to], "", "other");
    for (const [name, value] of Object.entries(VALUES))
      assert.equal(opened(join(out, `${name}.age`)), value);
  });

  test(
    "seawall secret backup and restore: a passphrase typed at a terminal",
    { skip: lacking(PYTHON, ["-c", "import pty, termios"]) },
    async () => {
      const file = at("words.age");
      const type = (state: string, args: readonly string[], steps: readonly string[][]): string => {
        const words = [PERSON, JSON.stringify(steps), process.execPath, MAIN, "secret", ...args];
        const env = { ...process.env, ...COMPILED, SEAWALL_STATE: at(state), NO_COLOR: "1" };
        const done = spawnSync(PYTHON, words, { cwd: folder, env, encoding: "utf8" });
        printed.push(done.stdout);
        assert.equal(done.status, 0, done.stdout);
        return done.stdout;
      };
      const asked = "new passphrase for the backup: ";
      type(
        "state",
        ["backup", file],
        [
          [asked, "first words\n"],
          ["once more: ", "other words\n"],
          ["the two passphrases differ", ""],
        ],
      );
      assert.ok(!existsSync(file));
      const shown = type(
        "state",
        ["backup", file],
        [
          [asked, "the right words\n"],
          ["once more: ", "the right words\n"],
          ["wrote 2 secrets", ""],
        ],
      );
      assert.ok(!shown.includes("right words"), "what was typed isn't shown");
      const vault = join(at("other"), "vault/vault.age");
      const before = readFileSync(vault);
      type(
        "other",
        ["restore", file, "--replace"],
        [
          ["passphrase of the backup: ", "the wrong words\n"],
          ["that passphrase doesn't open", ""],
        ],
      );
      assert.deepEqual(readFileSync(vault), before);
      type(
        "other",
        ["restore", file, "--replace"],
        [
          ["passphrase of the backup: ", "the right words\n"],
          ["restored 2 secrets: one, two", ""],
        ],
      );
    },
  );

  test("--store age: set, list, rotate and rm in a folder that age reads", async () => {
    const store = at("store");
    const where = ["--store", "age", "--folder", store];
    assertFailed(await run(["set", "one", "--store", "age"], "x"), 2, /needs --folder/);
    assertFailed(await run(["set", "one", ...where], "x"), 1, /folder of age files|there is no/);
    mkdirSync(store, { mode: 0o700 });
    assertFailed(await run(["set", "one", ...where], "x"), 1, /there is no ".*recipients\.txt"/);
    writeFileSync(join(store, "recipients.txt"), "# nobody\n");
    assertFailed(await run(["set", "one", ...where], "x"), 1, /names nobody/);
    writeFileSync(join(store, "recipients.txt"), readFileSync(recipients));
    // Nothing that opens them is needed to write.
    for (const [name, value] of Object.entries(VALUES)) await ok(["set", name, ...where], value);
    for (const [name, value] of Object.entries(VALUES))
      assert.equal(opened(join(store, `${name}.age`)), value);
    const listed = JSON.parse(await ok(["list", ...where, "--json"])) as {
      secrets: { name: string; store: string }[];
    };
    assert.deepEqual(
      listed.secrets.map(({ name, store: kind }) => [name, kind]),
      [
        ["one", "age"],
        ["two", "age"],
      ],
    );
    const known = [...where, "--identity", identity];
    assertFailed(await run(["rotate", "one", ...known], VALUES.one), 1, /has that value already/);
    await ok(["rotate", "one", ...known], `${MARK}-new`);
    assert.equal(opened(join(store, "one.age")), `${MARK}-new`);
    await ok(["rm", "two", ...where]);
    assertFailed(await run(["rm", "two", ...where]), 1, /there is no "two\.age"/);
    assertFailed(await run(["set", "../two", ...where], "x"), 2, /name/);
    assert.ok(!existsSync(join(store, "two.age")) && !existsSync(at("two.age")));
  });

  test("none of it was printed or lies anywhere in plain", () => {
    const text = printed.join("\n");
    assert.ok(text.length > 500 && !text.includes(MARK));
    const files = globSync("**/{*,.*}", { cwd: folder }).filter((name) =>
      lstatSync(at(name)).isFile(),
    );
    assert.ok(files.length > 10);
    for (const name of files) assert.ok(!readFileSync(at(name), "latin1").includes(MARK), name);
  });
});
