import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ensureAuthority, issueLeaf } from "../src/authority/index.ts";
import { startGiteaStandIn } from "./support/GiteaStandIn.ts";
import { startMattermostStandIn } from "./support/MattermostStandIn.ts";
import { runSeawall } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";
import { testStore } from "./support/testStore.ts";

const BOT_UID = 1_879_100_000;

test("seawall agent makes, synchronizes and deletes an agent through the broker; no token is anywhere", async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711);
  const authority = join(folder, "authority");
  mkdirSync(authority);
  const ca = await ensureAuthority(authority);
  writeFileSync(join(folder, "ca.pem"), ca.caPem);
  const tokens = {
    gitea: randomBytes(20).toString("hex"),
    mattermost: randomBytes(13).toString("hex"),
  };
  const gitea = await startGiteaStandIn(tokens.gitea, await issueLeaf(ca, ["git.example.com"]));
  t.after(() => gitea[Symbol.asyncDispose]());
  const chat = await startMattermostStandIn(
    await issueLeaf(ca, ["chat.example.com"]),
    tokens.mattermost,
  );
  t.after(() => chat.close());
  const state = join(folder, "state");
  const seawall = (args: readonly string[], input?: string) =>
    runSeawall(args, {
      state,
      cwd: folder,
      env: { SEAWALL_STORE: testStore() },
      ...(input === undefined ? {} : { input }),
    });
  for (const [name, value] of Object.entries(tokens))
    assert.equal((await seawall(["secret", "set", name], value)).code, 0);
  const dial = (port: number) => ({ host: "127.0.0.1", port, ca: "ca.pem" });
  writeFileSync(
    join(folder, "seawall.json5"),
    JSON.stringify({
      seawall: 1,
      secrets: { gitea: { vault: "gitea" }, mattermost: { vault: "mattermost" } },
      bots: {
        a: {
          openclaw: "2026.9.6",
          model: "x/y",
          settings: { models: { providers: { x: {} } } },
          grants: {
            gitea: { secret: "gitea", url: "https://git.example.com", dial: dial(gitea.port) },
            mattermost: {
              secret: "mattermost",
              url: "https://chat.example.com",
              dial: dial(chat.port),
            },
          },
          agents: {
            repositories: { gitea: { owner: "nixclaw" } },
            channels: { mattermost: { team: "team", members: ["owner"] } },
          },
        },
      },
    }),
  );
  assert.match((await seawall(["agent", "new", "ops"])).stderr, /has never run/);
  // As a bot that has run left it.
  const home = join(state, "bots", "a");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const path of [state, join(state, "bots")]) chmodSync(path, 0o711);
  if (process.getuid?.() === 0) chownSync(home, BOT_UID, BOT_UID);
  const made = await seawall(["agent", "new", "ops", "--json"]);
  assert.equal(made.code, 0, made.stderr + made.stdout);
  assert.equal(gitea.git("ops", ["log", "--format=%s", "main"]), "ops: Begin the workspace");
  const synced = await seawall(["agent", "sync"]);
  assert.equal(synced.code, 0, synced.stderr);
  const listed = await seawall(["agent", "list"]);
  assert.match(listed.stdout, /ops, mattermost [a-z0-9]{26}/);
  assert.equal((await seawall(["agent", "delete", "ops"])).code, 0);
  assert.equal(gitea.repositories.get("nixclaw/ops")?.archived, true);
  for (const call of [...gitea.calls.filter(({ path }) => path.startsWith("/api/")), ...chat.calls])
    assert.ok(call.accepted, call.path);
  for (const entry of globSync("**/*", { cwd: state, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "latin1");
    for (const token of Object.values(tokens)) assert.ok(!text.includes(token), entry.name);
  }
});
