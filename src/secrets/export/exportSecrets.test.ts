import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SecretValue } from "../SecretValue.ts";
import { failsWith, MARK, needs, run, StoreSetup } from "../testing/storeSetup.ts";
import { exportSecrets } from "./exportSecrets.ts";

interface Setup extends StoreSetup {
  readonly identity: string;
}

const VALUES = new Map([
  ["one", new SecretValue(MARK)],
  ["2", new SecretValue(`${MARK} ü "quoted"\nsecond line`)],
]);

async function setUp(t: TestContext): Promise<{ setup: Setup; recipients: string }> {
  const setup = Object.assign(new StoreSetup(t), { identity: "" });
  const identity = setup.at("identity");
  await run("age-keygen", ["-o", identity]);
  const { stdout } = await run("age-keygen", ["-y", identity]);
  return { setup: Object.assign(setup, { identity }), recipients: `# ours\n${stdout}` };
}

const decrypt = async (identity: string, file: string): Promise<string> =>
  (await run("age", ["-d", "-i", identity, file])).stdout;

test(
  "exportSecrets() writes age files that age opens, for age and SSH keys",
  needs("age", "ssh-keygen"),
  async (t) => {
    const { setup, recipients } = await setUp(t);
    const keys = [setup.identity];
    let all = recipients;
    for (const [type, ...args] of [["ed25519"], ["rsa", "-b", "2048"]]) {
      const key = setup.at(type ?? "");
      await run("ssh-keygen", ["-q", "-t", type ?? "", ...args, "-N", "", "-f", key]);
      all += readFileSync(`${key}.pub`, "utf8");
      keys.push(key);
    }
    const out = setup.at("out");
    const { files } = await exportSecrets(VALUES, { form: "age", out, recipients: all });
    assert.deepEqual(files, [join(out, "one.age"), join(out, "2.age")]);
    for (const identity of keys) {
      assert.equal(await decrypt(identity, join(out, "one.age")), MARK);
      // What we write we read, too.
      assert.equal(await setup.read({ store: "age", path: join(out, "one.age"), identity }), MARK);
    }
    for (const file of files) assert.equal(statSync(file).mode & 0o777, 0o600);
  },
);

test(
  "exportSecrets() writes a folder for agenix, and says what an existing one lacks",
  needs("age"),
  async (t) => {
    const { setup, recipients } = await setUp(t);
    const order = { form: "agenix", out: setup.at("out"), recipients } as const;
    const { files } = await exportSecrets(new Map([...VALUES].slice(0, 1)), order);
    assert.equal(files.length, 2);
    const rules = readFileSync(setup.at("out/secrets.nix"), "utf8");
    assert.match(rules, /^\{\n {2}"one\.age"\.publicKeys = \[ "age1[a-z0-9]+" \];\n\}\n$/);
    const more = await exportSecrets(new Map([...VALUES].slice(1)), order);
    assert.match(more.note ?? "", /add to .*secrets\.nix:\n {2}"2\.age"\.publicKeys/);
    assert.equal(readFileSync(setup.at("out/secrets.nix"), "utf8"), rules);
  },
);

test(
  "exportSecrets() writes SOPS files that are read and checked as SOPS' own are",
  needs("age"),
  async (t) => {
    const { setup, recipients } = await setUp(t);
    for (const name of ["out.yaml", "out.json"]) {
      const out = setup.at(name);
      await exportSecrets(VALUES, { form: "sops", out, recipients });
      for (const [key, value] of VALUES) {
        const source = { store: "sops", path: out, key: [key], identity: setup.identity } as const;
        assert.equal(await setup.read(source), value.revealSecret());
      }
      assert.ok(!readFileSync(out, "utf8").includes(MARK));
    }
  },
);

const sealing = spawnSync("systemd-creds", ["encrypt", "--name=x", "-", "-"], { input: "x" });
test(
  "exportSecrets() writes credentials that systemd-creds opens, and that are read as such",
  { skip: sealing.status === 0 ? false : "systemd-creds has neither host key nor TPM here" },
  async (t) => {
    const setup = new StoreSetup(t);
    const out = setup.at("out");
    await exportSecrets(VALUES, { form: "systemd-creds", out, recipients: "" });
    const path = join(out, "one");
    const { stdout } = await run("systemd-creds", ["decrypt", "--name=one", path, "-"]);
    assert.equal(stdout.trim(), MARK);
    assert.equal(await setup.read({ store: "credential", name: "one", path }), MARK);
    await setup.fails({ store: "credential", name: "other", path }, "damaged", /as "other"/);
    const bytes = readFileSync(path);
    const cut = setup.write("cut", bytes.subarray(0, bytes.length - 9));
    await setup.fails({ store: "credential", name: "one", path: cut }, "damaged");
    await setup.fails({ store: "credential", name: "one", path: setup.at("none") }, "missing");
  },
);

test("credentials come from $CREDENTIALS_DIRECTORY", async (t) => {
  const folder = new StoreSetup(t);
  const setup = new StoreSetup(t, { credentials: folder.folder });
  folder.write("google", `${MARK}\n`, 0o400);
  assert.equal(await setup.read({ store: "credential", name: "google" }), MARK);
  await setup.fails({ store: "credential", name: "nothing" }, "missing");
  folder.write("open", MARK, 0o444);
  await setup.fails({ store: "credential", name: "open" }, "unsafe-mode");
  await new StoreSetup(t).fails(
    { store: "credential", name: "google" },
    "missing",
    /no service manager/,
  );
});

test(
  "exportSecrets() replaces nothing and names what is wrong without quoting it",
  needs("age"),
  async (t) => {
    const { setup, recipients } = await setUp(t);
    const out = setup.at("out");
    const order = { form: "age", out, recipients } as const;
    await exportSecrets(VALUES, order);
    await assert.rejects(exportSecrets(VALUES, order), failsWith("exists"));
    const sops = { form: "sops", out: setup.write("there.yaml", "x"), recipients } as const;
    await assert.rejects(exportSecrets(VALUES, sops), failsWith("exists"));
    assert.equal(readFileSync(sops.out, "utf8"), "x");
    await assert.rejects(
      exportSecrets(VALUES, { ...order, recipients: "# nobody" }),
      failsWith("missing"),
    );
    // Somebody names the private key's file.
    const secret = readFileSync(setup.identity, "utf8");
    for (const text of [secret, "age1nonsense", "ssh-ed25519 AAAA", "ssh-dss AAAA", MARK])
      await assert.rejects(
        exportSecrets(VALUES, { form: "age", out: setup.at("other"), recipients: text }),
        failsWith("unsupported"),
      );
  },
);
