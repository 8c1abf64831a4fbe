import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { Desktop, DESKTOP_PROGRAMS } from "../testing/Desktop.ts";
import { MARK, needs } from "../testing/storeSetup.ts";

/** In a process of its own, whose environment says which keyring it is about. */
async function ask(desktop: Desktop, ...calls: [string, ...string[]][]): Promise<unknown[]> {
  const child = fork(new URL("../testing/keyringChild.ts", import.meta.url), {
    env: desktop.environment,
    execArgv: [],
  });
  child.send(calls);
  const [answers] = (await once(child, "message")) as [unknown[]];
  await once(child, "exit");
  return answers;
}

test(
  "KeyringStore keeps, reads, lists and removes secrets in the real GNOME Keyring",
  needs(...DESKTOP_PROGRAMS),
  async () => {
    await using desktop = await Desktop.start();
    await desktop.startKeyring("unlocked");
    const answers = await ask(
      desktop,
      ["read", "a"],
      ["list"],
      ["set", "b", MARK],
      ["set", "a", `${MARK} ü`],
      ["read", "a"],
      ["list"],
      ["set", "a", "another"],
      ["read", "a"],
      ["rm", "a"],
      ["rm", "a"],
      ["read", "b"],
    );
    const missing = {
      code: "missing",
      hint: "store it with: seawall secret set a --store keyring",
    };
    assert.deepEqual(answers, [
      missing,
      [],
      "set",
      "set",
      `${MARK} ü`,
      [{ name: "a" }, { name: "b" }],
      "set",
      "another",
      "removed",
      missing,
      MARK,
    ]);
  },
);

test(
  "KeyringStore reads what secret-tool stored as nono wants it, and secret-tool what it stored",
  needs(...DESKTOP_PROGRAMS, "secret-tool"),
  async () => {
    await using desktop = await Desktop.start();
    await desktop.startKeyring("unlocked");
    const words = ["service", "nono", "username", "openai_api_key"];
    const tool = spawn("secret-tool", ["store", "--label=nono: openai_api_key", ...words], {
      env: desktop.environment,
      stdio: ["pipe", "inherit", "inherit"],
    });
    tool.stdin.end(MARK);
    assert.deepEqual(await once(tool, "close"), [0, null]);
    assert.deepEqual(
      await ask(desktop, ["nono", "openai_api_key"], ["set", "own", `${MARK}-own`]),
      [MARK, "set"],
    );
    const look = spawn("secret-tool", ["lookup", "service", "seawall", "username", "own"], {
      env: desktop.environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [out] = (await once(look.stdout, "data")) as [Buffer];
    await once(look, "close");
    assert.equal(out.toString().trim(), `${MARK}-own`);
  },
);

test(
  "KeyringStore tells a locked keyring and an absent one apart, and loses nothing",
  needs(...DESKTOP_PROGRAMS),
  async () => {
    await using desktop = await Desktop.start();
    const absent = await ask(desktop, ["read", "a"], ["set", "a", MARK], ["list"], ["rm", "a"]);
    for (const answer of absent) assert.equal((answer as { code: string }).code, "keyring-absent");
    await desktop.startKeyring("unlocked");
    assert.deepEqual(await ask(desktop, ["set", "a", MARK]), ["set"]);
    await desktop.stopKeyring();
    await desktop.startKeyring("locked");
    const locked = await ask(desktop, ["read", "a"], ["set", "a", "other"], ["list"], ["rm", "a"]);
    for (const answer of locked) assert.equal((answer as { code: string }).code, "keyring-locked");
    await desktop.stopKeyring();
    await desktop.startKeyring("unlocked");
    assert.deepEqual(await ask(desktop, ["read", "a"]), [MARK]);
  },
);
