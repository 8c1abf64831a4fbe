import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { makeInstallation } from "../src/migration/testing/makeInstallation.ts";
import { Desktop, DESKTOP_PROGRAMS } from "../src/secrets/testing/Desktop.ts";
import { needs } from "../src/secrets/testing/storeSetup.ts";
import { assertFailed, halfFiles, snapshot } from "./support/failures.ts";
import { lacking } from "./support/lacking.ts";
import { COMPILED, runSeawall } from "./support/runSeawall.ts";
import { NO_SMALL_DISK, SmallDisk } from "./support/SmallDisk.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

/** `seawall secret adopt` and `import` where something is in the way, and where somebody is asked. */

const MAIN = resolve(import.meta.dirname, "../src/cli/main.ts");
const PYTHON = "/usr/bin/python3";
const PERSON = resolve(import.meta.dirname, "support/terminal.py");
const FULL = /the disk is full|no space is left|can't be written/;

function place(t: TestContext): { folder: string; state: string; disk: string } {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711);
  const [state, disk] = [join(folder, "state"), join(folder, "disk")];
  for (const path of [state, disk]) mkdirSync(path, { mode: 0o711 });
  return { folder, state, disk };
}

test(
  "a disk that is full or read-only: adopt and import leave all as it was",
  { skip: NO_SMALL_DISK },
  async (t) => {
    const { folder, state, disk } = place(t);
    // SQLite doesn't get through /proc, so it is made where the disk will be, and copied.
    const made = join(folder, "made");
    mkdirSync(join(disk, "openclaw"));
    const { canaries } = makeInstallation(join(disk, "openclaw"));
    cpSync(join(disk, "openclaw"), made, { recursive: true, preserveTimestamps: true });
    const small = await SmallDisk.mount(disk, "size=1m");
    t.after(() => small.unmount());
    const seen = join(small.seen, "openclaw");
    cpSync(made, seen, { recursive: true, preserveTimestamps: true });
    const installation = snapshot(seen);
    const run = (args: readonly string[], inState: string) =>
      runSeawall(["secret", ...args], {
        state: inState,
        cwd: folder,
        env: { SEAWALL_STORE: testStore() },
        through: small.through,
      });
    // What enters the namespace of the disk begins at the root.
    const file = join(folder, "seawall.json5");
    const adopt = ["adopt", join(disk, "openclaw"), "--yes", "--file", file];

    small.resize("ro");
    assertFailed(await run(adopt, state), 5, /can't write the installation: .*read-only/);
    assert.deepEqual(snapshot(seen), installation);
    assert.ok(!existsSync(file));
    small.resize("rw");

    // Installation and state share it: the backup, the vault, the phantoms and the bot's folder want room.
    const own = join(disk, "state");
    const ownSeen = join(small.seen, "state");
    mkdirSync(ownSeen, { mode: 0o700 });
    const env = join(folder, ".env");
    writeFileSync(env, "FIRST=value-of-first\nSECOND=value-of-second\n");
    assert.equal((await run(["import", env, "--yes"], own)).code, 0);
    const vault = readFileSync(join(ownSeen, "vault/vault.age"));
    writeFileSync(env, "THIRD=value-of-third\n");
    let failures = 0;
    for (const pages of [0, 9, 18]) {
      small.fill(pages);
      const ran = await run(adopt, own);
      if (ran.code === 0) break;
      failures++;
      assertFailed(ran, 5, FULL);
      assert.deepEqual(snapshot(seen), installation, `${pages} pages`);
      assert.ok(!existsSync(file));
      assert.ok(!existsSync(join(ownSeen, "bots/openclaw")));
      assert.deepEqual(halfFiles(small.seen), []);
    }
    assert.ok(failures >= 2);
    small.fill(0);
    assertFailed(await run(["import", env, "--yes"], own), 5, FULL);
    small.fill();
    const listed = await run(["list"], own);
    assert.match(listed.stdout, /^first .*\nsecond /m);
    assert.ok(!/third|anthropic/.test(listed.stdout), listed.stdout);
    if (failures === 1) assert.deepEqual(readFileSync(join(ownSeen, "vault/vault.age")), vault);
    const done = await run(adopt, own);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(
      !readFileSync(join(seen, "openclaw.json"), "utf8").includes(canaries["telegram"] ?? ""),
    );
  },
);

test(
  "seawall secret adopt and import ask, and no is no",
  { skip: lacking(PYTHON, ["-c", "import pty, termios"]) },
  (t) => {
    const { folder, state } = place(t);
    const openclaw = join(folder, "openclaw");
    mkdirSync(openclaw, { mode: 0o700 });
    makeInstallation(openclaw);
    const before = snapshot(openclaw);
    const type = (args: readonly string[], steps: readonly string[][]): string => {
      const words = [PERSON, JSON.stringify(steps), process.execPath, MAIN, "secret", ...args];
      const env = {
        ...process.env,
        ...COMPILED,
        SEAWALL_STATE: state,
        SEAWALL_STORE: testStore(),
        NO_COLOR: "1",
      };
      const done = spawnSync(PYTHON, words, { cwd: folder, env, encoding: "utf8" });
      assert.equal(done.status, 0, done.stdout);
      return done.stdout;
    };
    const shown = type(
      ["adopt", openclaw],
      [
        ["anthropic", ""],
        ["take over 4 credentials? [y/N] ", "n\n"],
        ["nothing was changed", ""],
      ],
    );
    assert.ok(shown.indexOf("telegram") < shown.indexOf("take over"), "shown before it asks");
    assert.deepEqual(snapshot(openclaw), before);
    assert.ok(!existsSync(join(folder, "seawall.json5")));
    const env = join(folder, ".env");
    writeFileSync(env, "ONE=value-of-one\n");
    type(
      ["import", env],
      [
        ["store 1 secret? [y/N] ", "\n"],
        ["stored 0", ""],
      ],
    );
    type(
      ["import", env],
      [
        ["store 1 secret? [y/N] ", "yes\n"],
        ["stored 1", ""],
      ],
    );
    writeFileSync(env, "ONE=another-value\nTWO=value-of-two\n");
    type(
      ["import", env],
      [
        ["store 1 secret? [y/N] ", "y\n"],
        ['"one" is there with another value; replace it', "n\n"],
        ["stored 1", ""],
      ],
    );
  },
);

test(
  "seawall secret adopt into the real GNOME Keyring, and back without naming it",
  needs(...DESKTOP_PROGRAMS, "secret-tool"),
  async (t) => {
    await using desktop = await Desktop.start();
    await desktop.startKeyring("unlocked");
    const { folder, state } = place(t);
    const openclaw = join(folder, "openclaw");
    mkdirSync(openclaw, { mode: 0o700 });
    const { canaries } = makeInstallation(openclaw);
    const before = snapshot(openclaw);
    const run = async (...args: string[]): Promise<void> => {
      const env = { ...desktop.environment, SEAWALL_STORE: testStore() };
      const ran = await runSeawall(["secret", "adopt", ...args], { state, cwd: folder, env });
      assert.equal(ran.code, 0, ran.stderr);
      for (const value of Object.values(canaries)) assert.ok(!ran.stdout.includes(value));
    };
    const kept = (account: string): string =>
      spawnSync("secret-tool", ["lookup", "service", "seawall", "username", account], {
        env: desktop.environment,
        encoding: "utf8",
      }).stdout;
    await run(openclaw, "--yes", "--store", "keyring");
    assert.equal(kept("anthropic"), canaries["anthropic"]);
    assert.match(readFileSync(join(folder, "seawall.json5"), "utf8"), /"keyring": "anthropic"/);
    await run(openclaw, "--undo");
    assert.equal(kept("anthropic"), "");
    assert.deepEqual(snapshot(openclaw), before);
  },
);
