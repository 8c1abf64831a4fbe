import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { assertFailed, assertNothingStarted, snapshot } from "./support/failures.ts";
import { freePort } from "./support/Deployment.ts";
import { runSeawall, type Ran } from "./support/runSeawall.ts";
import { declareOneBot } from "./support/simpleDeclaration.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

/** What `seawall up` does with a vault it can't open, and passphrases typed at a terminal. */

const MAIN = resolve(import.meta.dirname, "../src/cli/start.cjs");
const VALUE = "sk-ant-api03-value-that-must-not-show";
const PASSPHRASE = "correct horse battery";
const skip = {
  script:
    spawnSync("script", ["--version"]).status === 0 && spawnSync("setsid", ["true"]).status === 0
      ? false
      : "needs script(1) and setsid(1) of util-linux",
};

interface Place {
  readonly folder: string;
  readonly state: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: (args: readonly string[], input?: string) => Promise<Ran>;
}

async function place(t: TestContext): Promise<Place> {
  const folder = temporaryFolder(t);
  const state = join(folder, "state");
  const env = { SEAWALL_STORE: testStore(), SEAWALL_STATE: state };
  declareOneBot(folder, await freePort());
  const run = (args: readonly string[], input?: string): Promise<Ran> =>
    runSeawall(args, {
      state,
      cwd: folder,
      env,
      // Without a terminal, even when the tests have one.
      through: (command) => ["setsid", "--wait", ...command],
      ...(input === undefined ? {} : { input }),
    });
  return { folder, state, env, run };
}

test("seawall up without a vault, or with one that can't be opened, says which and what to do", async (t) => {
  const { state, run } = await place(t);
  assertFailed(await run(["up"]), 5, /there is no vault at .*\n {2}hint: .*seawall secret set/);
  await assertNothingStarted(state);

  assert.equal((await run(["secret", "set", "other"], VALUE)).code, 0);
  const missing = /the vault has no secret "anthropic"\n {2}hint: .*seawall secret set anthropic/;
  assertFailed(await run(["up"]), 5, missing);
  await assertNothingStarted(state);

  assert.equal((await run(["secret", "set", "anthropic"], VALUE)).code, 0);
  const vault = join(state, "vault", "vault.age");
  const bytes = readFileSync(vault);
  writeFileSync(vault, bytes.subarray(0, bytes.length / 2));
  const before = snapshot(join(state, "vault"));
  assertFailed(await run(["up"]), 5, /vault ".*" is damaged\n {2}hint: restore it from a backup/);
  await assertNothingStarted(state);
  assert.deepEqual(snapshot(join(state, "vault")), before);

  writeFileSync(vault, bytes);
  renameSync(join(state, "vault", "vault.key"), join(state, "vault.key"));
  assertFailed(await run(["up"]), 5, /there is no identity at ".*vault\.key"\n {2}hint: /);
  await assertNothingStarted(state);
});

test(
  "a vault with a passphrase asks for it at a terminal, and shows nothing that is typed",
  { skip: skip.script },
  async (t) => {
    const made = await place(t);
    const { folder, state, run } = made;
    const set = await typing(made, "secret set anthropic --passphrase", [
      ["new passphrase for the vault: ", PASSPHRASE],
      ["once more: ", PASSPHRASE],
      ["(not shown): ", VALUE],
    ]);
    assert.equal(set.code, 0, set.output);
    assert.match(set.output, /stored "anthropic"/);
    const before = snapshot(state);

    const list = await typing(made, "secret list", [["passphrase of the vault: ", PASSPHRASE]]);
    assert.equal(list.code, 0, list.output);
    assert.match(list.output, /^anthropic +vault +\d{4}-/m);
    const wrong = await typing(made, "secret list", [["passphrase of the vault: ", "wrong words"]]);
    assert.equal(wrong.code, 5, wrong.output);
    assert.match(wrong.output, /error: that is not the passphrase .*\r?\n {2}hint: /);
    const differing = await typing(made, "secret list", [["passphrase of the vault: ", "\u0003"]]);
    assert.equal(differing.code, 2, differing.output);
    assert.match(differing.output, /error: nothing was entered/);

    assertFailed(
      await run(["secret", "list"]),
      2,
      /no terminal to ask on\n {2}hint: run this from/,
    );
    assertFailed(await run(["up"]), 2, /no terminal to ask on\n {2}hint: run this from/);
    await assertNothingStarted(state);
    assert.deepEqual(snapshot(state), before);

    const up = await typing(made, "up", [["passphrase of the vault: ", "wrong words"]]);
    assert.equal(up.code, 5, up.output);
    assert.match(up.output, /error: that is not the passphrase/);
    await assertNothingStarted(state);
    // With the right one it comes past the vault, to a port that is taken.
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    t.after(() => taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    declareOneBot(folder, port);
    const opened = await typing(made, "up", [["passphrase of the vault: ", PASSPHRASE]]);
    assert.equal(opened.code, 5, opened.output);
    assert.ok(opened.output.includes(`127.0.0.1:${port}`), opened.output);
    await assertNothingStarted(state);
    for (const { output } of [set, list, wrong, up, opened])
      for (const typed of [PASSPHRASE, VALUE, "wrong words"])
        assert.ok(!output.includes(typed), `echoed: ${typed}`);
  },
);

/** Runs a command at a terminal of its own (script(1)), answering each question once it is asked. */
async function typing(
  { folder, env }: Place,
  command: string,
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = `exec '${process.execPath}' '${MAIN}' ${command}`;
  const child = spawn("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  let asked = 0;
  const left = [...answers];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    const [next] = left;
    if (next === undefined || !output.slice(asked).includes(next[0])) return;
    asked = output.length;
    left.shift();
    child.stdin.write(`${next[1]}\r`);
  });
  const [code] = (await once(child, "close")) as [number | null];
  assert.deepEqual(left, [], `not asked for: ${output}`);
  return { code, output };
}
