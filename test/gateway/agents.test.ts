import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ensureAuthority, issueLeaf } from "../../src/authority/index.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { startGiteaStandIn } from "../support/GiteaStandIn.ts";
import { startMattermostStandIn } from "../support/MattermostStandIn.ts";

const REPLY_MS = 90_000;

test("an agent is made, answers in its channel without a mention, is synchronized and deleted, and the gateway runs on", async (t) => {
  const deployment = await Deployment.make();
  t.after(() => deployment[Symbol.asyncDispose]());
  const folder = join(deployment.folder, "authority");
  mkdirSync(folder);
  const authority = await ensureAuthority(folder);
  writeFileSync(join(deployment.folder, "agents.pem"), authority.caPem);
  const tokens = {
    gitea: randomBytes(20).toString("hex"),
    mattermost: randomBytes(13).toString("hex"),
  };
  const gitea = await startGiteaStandIn(
    tokens.gitea,
    await issueLeaf(authority, ["git.example.com"]),
  );
  t.after(() => gitea[Symbol.asyncDispose]());
  const chat = await startMattermostStandIn(
    await issueLeaf(authority, ["chat.example.com"]),
    tokens.mattermost,
  );
  t.after(() => chat.close());
  for (const [name, value] of Object.entries(tokens))
    await deployment.ok(["secret", "set", name], value);
  const port = await freePort();
  const { grants } = deployment.bot({ port }) as { grants: object };
  const dial = (to: number): object => ({ host: "127.0.0.1", port: to, ca: "agents.pem" });
  const more = {
    grants: {
      ...grants,
      gitea: { secret: "gitea", url: "https://git.example.com", dial: dial(gitea.port) },
      mattermost: {
        secret: "mattermost",
        url: "https://chat.example.com",
        allowFrom: [chat.userId],
        dial: dial(chat.port),
      },
    },
    agents: {
      repositories: { gitea: { owner: "nixclaw" } },
      channels: { mattermost: { team: "team", members: ["owner"] } },
    },
  };
  const names = ["anthropic", "gitea", "mattermost"];
  deployment.declare(
    { a: deployment.bot({ port, more }) },
    { secrets: Object.fromEntries(names.map((name) => [name, { vault: name }])) },
  );
  await deployment.ok(["up"]);
  const pid = (await deployment.status()).bots[0]?.pid;
  assert.ok(pid !== undefined);

  await deployment.ok(["agent", "new", "ops"]);
  const channel = chat.channels.get("ops")?.id;
  const said = `w${randomBytes(4).toString("hex")}`;
  chat.sendAsUser(`Say the word: ${said}`, channel);
  assert.match(await chat.nextReply(REPLY_MS), new RegExp(said));
  // OpenClaw itself filled the workspace, at the first turn.
  const workspace = join(deployment.state, "bots", "a", "agents", "ops");
  assert.ok(readdirSync(workspace).includes("SOUL.md"));
  await deployment.ok(["agent", "sync"]);
  assert.match(gitea.git("ops", ["ls-tree", "--name-only", "main"]), /^SOUL\.md$/m);

  await deployment.ok(["agent", "delete", "ops"]);
  assert.equal(gitea.repositories.get("nixclaw/ops")?.archived, true);
  assert.ok((chat.channels.get("ops")?.delete_at ?? 0) > 0);
  const [bot] = (await deployment.status()).bots;
  assert.equal(bot?.pid, pid);
  assert.equal(bot.restarts, 0);
});
