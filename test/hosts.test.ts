import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { freePort } from "./support/Deployment.ts";
import { assertFailed, assertNothingStarted } from "./support/failures.ts";
import { refusesEverywhere, type Case } from "./support/refusesEverywhere.ts";
import { runSeawall, type RunOptions } from "./support/runSeawall.ts";
import { declareOneBot } from "./support/simpleDeclaration.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

/** Hosts that lack something the wall needs, made so for real: each command says it, with exit 4. */

async function prepare(t: TestContext, more: Partial<RunOptions>): Promise<Case> {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  declareOneBot(folder, await freePort());
  const options = { state, cwd: folder, env: { SEAWALL_STORE: testStore() }, ...more };
  const stored = await runSeawall(["secret", "set", "anthropic"], {
    state,
    cwd: folder,
    input: "sk-ant-api03-not-a-real-one",
  });
  assert.equal(stored.code, 0, stored.stderr);
  return { options, state };
}

/** An ordinary user in a user namespace of its own, in which no further one may be made. */
const NO_NAMESPACES = [
  "unshare",
  "--user",
  "--map-user=1000",
  "--map-group=1000",
  "--keep-caps",
  "sh",
  "-c",
  'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"',
  "setpriv",
  "--inh-caps=-all",
  "--ambient-caps=-all",
  "--bounding-set=-all",
];

test(
  "user namespaces forbidden: doctor, check and up say which switch allows them",
  {
    skip:
      spawnSync(NO_NAMESPACES[0] ?? "", [...NO_NAMESPACES.slice(1), "true"]).status === 0
        ? false
        : "needs unshare(1) and setpriv(1) of util-linux 2.38, and user namespaces to begin with",
  },
  async (t) => {
    const through = (command: readonly string[]): readonly string[] => [
      ...NO_NAMESPACES,
      ...command,
    ];
    const made = await prepare(t, { through });
    await refusesEverywhere(
      made,
      /no user namespaces: .*\n {2}hint: sysctl -w user\.max_user_namespaces=15000/,
    );
    const control = await runSeawall(["doctor"], {
      ...made.options,
      through: (command) => command,
    });
    assert.equal(control.code, 0, control.stderr);
  },
);

test(
  "root of a container that has no users to give is told to be an ordinary user",
  {
    skip:
      spawnSync("unshare", ["--user", "--map-root-user", "true"]).status === 0
        ? false
        : "needs unshare(1) and user namespaces",
  },
  async (t) => {
    const through = (command: readonly string[]): readonly string[] => [
      "unshare",
      "--user",
      "--map-root-user",
      ...command,
    ];
    const { options, state } = await prepare(t, { through });
    for (const verb of ["doctor", "up"]) {
      const ran = await runSeawall([verb], options);
      assertFailed(ran, 4, /no users to give to bots\n {2}hint: run seawall as an ordinary user/);
    }
    await assertNothingStarted(state);
  },
);

test("bubblewrap missing or too old: the line that installs it, and nothing is brought", async (t) => {
  const path = temporaryFolder(t);
  const store = temporaryFolder(t);
  chmodSync(path, 0o755);
  chmodSync(store, 0o755);
  symlinkSync("/bin/sync", join(path, "sync"));
  const made = await prepare(t, { env: { PATH: path, SEAWALL_STORE: store } });
  await refusesEverywhere(made, /bubblewrap is not installed\n {2}hint: .*install.* bubblewrap/);
  writeFileSync(join(path, "bwrap"), "#!/bin/sh\necho bubblewrap 0.3.0\n");
  chmodSync(join(path, "bwrap"), 0o755);
  await refusesEverywhere(made, /bubblewrap 0\.3\.0 is too old\n {2}hint: .*install.* bubblewrap/);
  const brought = readdirSync(store).filter((name) => name.startsWith("openclaw"));
  assert.deepEqual(brought, [], "OpenClaw was installed for a host that can't run it");
});
