import { equal, match, ok, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { latestPin, readPin } from "./Pin.ts";
import { hasPlugin, pluginInstall } from "./pluginInstall.ts";
import { TEST_INSIDE } from "./testing/testBot.ts";

const PIN = readPin(latestPin());
const PLUGIN = "@openclaw/mattermost";

/** A bot's state in which npm has left this lock. */
function stateWith(t: TestContext, text: string): { state: string; lock: string } {
  const state = mkdtempSync(join(tmpdir(), "seawall-plugin-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const project = join(state, "npm", "projects", "openclaw-mattermost-0123456789");
  mkdirSync(project, { recursive: true });
  const lock = join(project, "package-lock.json");
  writeFileSync(lock, text);
  return { state, lock };
}

function lockOf(entry: object): string {
  return JSON.stringify({ packages: { [`node_modules/${PLUGIN}`]: entry } });
}

test("hasPlugin() wants the pinned version with the pinned integrity", (t) => {
  const { version = "", integrity = "" } = PIN.plugins[PLUGIN] ?? {};
  equal(hasPlugin(PLUGIN, stateWith(t, lockOf({ version, integrity })).state, PIN), true);
  const others = [
    { version: "1.0.0", integrity },
    { version, integrity: `${integrity}x` },
    { version },
    {},
  ];
  for (const other of others) {
    equal(hasPlugin(PLUGIN, stateWith(t, lockOf(other)).state, PIN), false);
  }
  equal(hasPlugin(PLUGIN, "/nonexistent", PIN), false);
});

test("hasPlugin() is not held up, led away or filled up by what a bot has put there", (t) => {
  const { version = "", integrity = "" } = PIN.plugins[PLUGIN] ?? {};
  const elsewhere = stateWith(t, lockOf({ version, integrity }));
  const tricks: ((lock: string) => void)[] = [
    (lock) => symlinkSync(elsewhere.lock, lock),
    (lock) => execFileSync("mkfifo", [lock]),
    (lock) => mkdirSync(lock),
    (lock) => symlinkSync("/dev/zero", lock),
    (lock) => {
      writeFileSync(lock, lockOf({ version, integrity }));
      truncateSync(lock, 2 ** 40);
    },
    (lock) => writeFileSync(lock, "[".repeat(1_000_000)),
    (lock) => writeFileSync(lock, '{"packages": {"__proto__": 1}}'),
    // A folder on the way is elsewhere.
    (lock) => {
      rmSync(dirname(lock), { recursive: true });
      symlinkSync(dirname(elsewhere.lock), dirname(lock));
    },
    (lock) => {
      const npm = dirname(dirname(dirname(lock)));
      rmSync(npm, { recursive: true });
      symlinkSync(join(elsewhere.state, "npm"), npm);
    },
  ];
  // In great numbers they aren't all read.
  const many = stateWith(t, "{}");
  const projects = dirname(dirname(many.lock));
  rmSync(many.lock);
  for (let count = 0; count < 300; count++) {
    mkdirSync(join(projects, `other-${count}`));
    writeFileSync(join(projects, `other-${count}`, "package-lock.json"), "{}");
  }
  const read = t.mock.method(fs, "readFileSync");
  syncBuiltinESMExports();
  equal(hasPlugin(PLUGIN, many.state, PIN), false);
  const count = read.mock.callCount();
  read.mock.restore();
  syncBuiltinESMExports();
  ok(count > 10 && count <= 64, String(count));
  for (const trick of tricks) {
    const { state, lock } = stateWith(t, "{}");
    rmSync(lock);
    trick(lock);
    equal(hasPlugin(PLUGIN, state, PIN), false);
  }
});

test("pluginInstall() names the pinned version and leaves the bot's configuration alone", () => {
  const { command, environment } = pluginInstall(PLUGIN, TEST_INSIDE, PIN);
  match(command.join(" "), /plugins install npm:@openclaw\/mattermost@\d+\.\d+\.\d+ --pin/);
  equal(environment["OPENCLAW_CONFIG_READONLY"], undefined);
  equal(environment["OPENCLAW_CONFIG_PATH"]?.startsWith(`${TEST_INSIDE.home}/`), true);
  equal(environment["OPENCLAW_STATE_DIR"], TEST_INSIDE.state);
});

test("pluginInstall() and hasPlugin() refuse a plugin that is not pinned", () => {
  for (const name of ["left-pad", "__proto__", "constructor", ""]) {
    throws(() => pluginInstall(name, TEST_INSIDE, PIN), { code: "plugin" });
    throws(() => hasPlugin(name, "/nonexistent", PIN), { code: "plugin" });
  }
});
