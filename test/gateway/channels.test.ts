import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureAuthority, issueLeaf } from "../../src/authority/index.ts";
import { findValues, processesInside } from "../../src/demo/index.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import {
  DISCORD_NAMES,
  startDiscordStandIn,
  type DiscordStandIn,
} from "../support/DiscordStandIn.ts";
import { startGiteaStandIn, type GiteaStandIn } from "../support/GiteaStandIn.ts";
import { startMatrixStandIn, type MatrixStandIn } from "../support/MatrixStandIn.ts";
import { startMattermostStandIn, type MattermostStandIn } from "../support/MattermostStandIn.ts";
import { SLACK_NAMES, startSlackStandIn, type SlackStandIn } from "../support/SlackStandIn.ts";
import { isAlive, socketsOf, traces } from "../support/traces.ts";

const CHAT = "chat.example.com";
const GIT = "git.example.com";
const HOME = "matrix.example.com";
const SECRETS = [
  "anthropic",
  "telegram",
  "discord",
  "mattermost",
  "gitea",
  "slack",
  "slack-app",
  "matrix",
];
const REPLY_MS = 90_000;

interface Grants {
  readonly [name: string]: { readonly [key: string]: unknown };
}

interface Line {
  readonly bot: string;
  readonly kind: string;
  readonly decision?: string;
  readonly grant?: string;
  readonly host?: string;
  readonly path?: string;
  readonly status?: number;
  readonly outcome?: string;
  readonly code?: string;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

/**
 * The real OpenClaw with the real plugins of its channels, all five at once, and with agents that come and go,
 * against servers that take the real tokens only. The tests follow one deployment through a day.
 */
describe("a bot on Telegram, Discord, Mattermost, Slack and Matrix", () => {
  let deployment: Deployment;
  let discord: DiscordStandIn;
  let mattermost: MattermostStandIn;
  let gitea: GiteaStandIn;
  let slack: SlackStandIn;
  let matrix: MatrixStandIn;
  let port: number;
  let installing: string;
  const canaries = {
    // A token's first part is the application's id, and public.
    discord: `${Buffer.from("1180000000000000777").toString("base64url")}.G${randomBytes(3).toString("hex").slice(0, 5)}.${randomBytes(30).toString("base64url").slice(0, 38)}`,
    mattermost: randomBytes(13).toString("hex"),
    gitea: randomBytes(20).toString("hex"),
    slack: `xoxb-123456789012-1234567890123-${randomBytes(12).toString("hex")}`,
    "slack-app": `xapp-1-A0SEAWALL01-1234567890123-${randomBytes(32).toString("hex")}`,
    matrix: `syt_${randomBytes(15).toString("hex")}_${randomBytes(10).toString("hex")}_${randomBytes(3).toString("hex")}`,
  };
  before(async () => {
    deployment = await Deployment.make();
    port = await freePort();
    const folder = join(deployment.folder, "authority");
    mkdirSync(folder);
    const authority = await ensureAuthority(folder);
    writeFileSync(join(deployment.folder, "channels.pem"), authority.caPem);
    discord = await startDiscordStandIn(
      await issueLeaf(authority, DISCORD_NAMES),
      canaries.discord,
    );
    mattermost = await startMattermostStandIn(
      await issueLeaf(authority, [CHAT]),
      canaries.mattermost,
    );
    gitea = await startGiteaStandIn(canaries.gitea, await issueLeaf(authority, [GIT]));
    slack = await startSlackStandIn(await issueLeaf(authority, SLACK_NAMES), {
      bot: canaries.slack,
      app: canaries["slack-app"],
    });
    matrix = await startMatrixStandIn(await issueLeaf(authority, [HOME]), canaries.matrix);
    for (const [name, value] of Object.entries(canaries))
      await deployment.ok(["secret", "set", name], value);
    declare(allGrants());
    const up = await deployment.run(["up"]);
    assert.equal(up.code, 0, up.stderr);
    installing = up.stderr;
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
    await discord.close();
    await mattermost.close();
    await gitea[Symbol.asyncDispose]();
    await slack.close();
    await matrix.close();
  });

  function allGrants(): Grants {
    const { grants } = deployment.bot({ port, telegram: true }) as { grants: Grants };
    const dial = (at: { host?: string; port: number }): object => ({
      host: at.host ?? "127.0.0.1",
      port: at.port,
      ca: "channels.pem",
    });
    return {
      ...grants,
      discord: { secret: "discord", allowFrom: [discord.userId], dial: dial(discord) },
      mattermost: {
        secret: "mattermost",
        url: `https://${CHAT}`,
        allowFrom: [mattermost.userId],
        dial: dial(mattermost),
      },
      gitea: { secret: "gitea", url: `https://${GIT}`, dial: dial(gitea) },
      slack: { secret: "slack", allowFrom: [slack.userId], dial: dial(slack) },
      "slack-app": { secret: "slack-app", dial: dial(slack) },
      matrix: {
        secret: "matrix",
        url: `https://${HOME}`,
        allowFrom: [matrix.userId],
        dial: dial(matrix),
      },
    };
  }

  function declare(grants: Grants): void {
    // As a person has to say it: of its own accord a bot goes into no room.
    const settings = { channels: { matrix: { autoJoin: "always" } } };
    const agents = {
      repositories: { gitea: { owner: "nixclaw" } },
      channels: {
        discord: { server: discord.serverId, members: [discord.userId] },
        mattermost: { team: "team", members: ["owner"] },
        telegram: { members: [deployment.standIns.telegram.userId] },
      },
    };
    deployment.declare(
      { a: deployment.bot({ port, more: { grants, agents, settings } }) },
      { secrets: Object.fromEntries(SECRETS.map((name) => [name, { vault: name }])) },
    );
  }

  async function pidOf(): Promise<number> {
    const [bot] = (await deployment.status()).bots;
    assert.ok(bot?.pid !== undefined && bot.state === "ready");
    return bot.pid;
  }

  function phantomOf(pid: number, variable: string): string {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
    const line = environment.find((each) => each.startsWith(`${variable}=`)) ?? "";
    return line.slice(variable.length + 1);
  }

  function records(): Line[] {
    return readFileSync(join(deployment.state, "audit", "audit.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
  }

  /** Applies what was declared; nothing is installed a second time. */
  async function up(): Promise<void> {
    const { code, stderr } = await deployment.run(["up"]);
    assert.equal(code, 0, stderr);
    assert.ok(!stderr.includes("installing"), stderr);
  }

  const word = (): string => `w${randomBytes(4).toString("hex")}`;

  test("each channel's plugin was installed, with the registry as all there is", () => {
    for (const name of ["discord", "matrix", "mattermost", "slack"])
      assert.match(installing, new RegExp(`installing @openclaw/${name} into a`));
    const reached = records().filter(({ bot }) => bot === "a/plugins");
    assert.ok(reached.some(({ kind, decision }) => kind === "tunnel" && decision === "allow"));
    assert.ok(reached.every(({ kind }) => kind === "tunnel" || kind === "dns"));
  });

  test("a message on Telegram gets its answer", async () => {
    const said = word();
    assert.match(await deployment.converse(`Say the word: ${said}`), new RegExp(said));
  });

  test("a message on Discord gets its answer", async () => {
    const said = word();
    discord.sendAsUser(`Say the word: ${said}`);
    assert.match(await discord.nextReply(REPLY_MS), new RegExp(said));
  });

  test("a message on Mattermost gets its answer", async () => {
    const said = word();
    mattermost.sendAsUser(`Say the word: ${said}`);
    assert.match(await mattermost.nextReply(REPLY_MS), new RegExp(said));
  });

  test("a message on Slack comes over the app's socket, and gets its answer by the bot's token", async () => {
    const said = word();
    slack.sendAsUser(`Say the word: ${said}`);
    assert.match(await slack.nextReply(REPLY_MS), new RegExp(said));
    assert.equal(slack.acknowledged.length, 1);
    for (const message of slack.messages) assert.equal(message["unfurl_links"] ?? "false", "false");
  });

  test("Matrix: the bot takes the invitation, and a message in the room gets its answer", async () => {
    const said = word();
    matrix.sendAsUser(`Say the word: ${said}`);
    assert.match(await matrix.nextReply(REPLY_MS), new RegExp(said));
    assert.ok(matrix.joined);
    assert.deepEqual(
      matrix.calls.filter(({ login }) => login === "refused"),
      [],
    );
  });

  test("the services saw their real tokens in every call and login, and nowhere else", () => {
    for (const { calls } of [discord, mattermost, slack, deployment.standIns.telegram]) {
      assert.ok(calls.length > 0 && calls.every(({ accepted }) => accepted));
    }
    const logins = discord.connections.map(({ login }) => login);
    // On a busy machine the plugin resumes a connection, which takes the real token, too.
    assert.ok(logins.includes("identified") && !logins.includes("refused"));
    for (const { connections } of [mattermost, slack])
      assert.deepEqual([...new Set(connections.map(({ login }) => login))], ["accepted"]);
    for (const { credentialHeaders, extensions } of [
      ...discord.connections,
      ...mattermost.connections,
      ...slack.connections,
    ]) {
      assert.deepEqual(credentialHeaders, [], "the login is a frame's business");
      assert.equal(extensions, undefined, "what is compressed can't be searched");
    }
  });

  test("the plugin asks Discord who it is, since its phantom doesn't say", async () => {
    const phantom = phantomOf(await pidOf(), "DISCORD_BOT_TOKEN");
    assert.match(phantom, /^MA\w{24}\.G\w{5}\.[\w-]{38}$/);
    assert.ok(discord.calls.some(({ path }) => path === "/api/v10/oauth2/applications/@me"));
    assert.match(
      await deployment.ok(["logs", "-n", "5000"]),
      new RegExp(`as ${discord.applicationId}`),
    );
  });

  test("no real value is in what the bot has, though the services repeat their tokens to it", async () => {
    const pid = await pidOf();
    const values = Object.entries({ ...deployment.canaries, ...canaries });
    const phantoms = [
      "DISCORD_BOT_TOKEN",
      "MATRIX_ACCESS_TOKEN",
      "MATTERMOST_BOT_TOKEN",
      "SLACK_APP_TOKEN",
      "SLACK_BOT_TOKEN",
    ];
    const report = await findValues({
      pids: processesInside(pid),
      values: [
        ...values.map(([name, value]) => ({ name, value })),
        // The control: what is there is found.
        ...phantoms.map((name) => ({ name, value: phantomOf(pid, name) })),
      ],
    });
    assert.ok(report.processes >= 3 && report.bytesOfMemory > 200e6 && report.files > 10_000);
    assert.deepEqual(
      report.found.filter(({ name }) => !phantoms.includes(name)),
      [],
    );
    for (const phantom of phantoms) {
      const found = report.found.filter(({ name }) => name === phantom);
      assert.ok(
        found.some(({ where }) => where.startsWith("memory of")),
        phantom,
      );
    }
  });

  test("no real value is in any file of the deployment, nor in the supervisor", async () => {
    const values = Object.values({ ...deployment.canaries, ...canaries });
    for (const entry of globSync("**/*", { cwd: deployment.state, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const text = readFileSync(path, "latin1");
      for (const value of values) assert.ok(!text.includes(value), path);
    }
    const { pid } = await deployment.status();
    for (const file of ["cmdline", "environ"]) {
      const text = readFileSync(`/proc/${pid}/${file}`, "latin1");
      for (const value of values) assert.ok(!text.includes(value), file);
    }
  });

  test("a gateway that closes for a deploy is resumed with the real token, and nothing is lost", async () => {
    const before = discord.connections.length;
    discord.cut(4000);
    const said = word();
    discord.sendAsUser(`Say the word: ${said}`);
    assert.match(await discord.nextReply(REPLY_MS), new RegExp(said));
    const [resumed] = discord.connections.slice(before);
    assert.equal(resumed?.login, "resumed");
    assert.equal(resumed.host, "gateway-us-east1-b.discord.gg");
  });

  test("rules taken away cut a running WebSocket, the bot runs on, and it comes back with them", async () => {
    const pid = await pidOf();
    const all = allGrants();
    declare({ ...all, discord: { ...all["discord"], allow: ["GET /api/v10/users/*"] } });
    await up();
    assert.ok(discord.connections.every(({ open }) => !open));
    assert.ok(
      mattermost.connections.some(({ open }) => open),
      "another grant's isn't touched",
    );
    assert.equal(await pidOf(), pid);
    const closed = discord.connections.length;
    declare(all);
    await up();
    assert.equal(await pidOf(), pid);
    const said = word();
    discord.sendAsUser(`Say the word: ${said}`);
    assert.match(await discord.nextReply(REPLY_MS), new RegExp(said));
    assert.ok(discord.connections.length > closed);
    assert.ok(discord.connections.every(({ login }) => login !== "refused"));
  });

  test("an agent is made, answers in its channel without a mention, is synchronized and deleted, and the gateway runs on", async () => {
    const pid = await pidOf();
    await deployment.ok(["agent", "new", "ops", "--channel", "mattermost"]);
    const said = word();
    // Said again, as a person would: its account is connected a little before it listens.
    for (let tries = 0, reply = ""; !reply.includes(said); tries++) {
      assert.ok(tries < 4, "no answer in its channel");
      mattermost.sendAsUser(`Say the word: ${said}`, mattermost.channels.get("ops")?.id);
      reply = await mattermost.nextReply(30_000).catch(() => "");
    }
    // OpenClaw itself filled the workspace, at the first turn.
    const workspace = join(deployment.state, "bots", "a", "agents", "ops");
    assert.ok(readdirSync(workspace).includes("SOUL.md"));
    await deployment.ok(["agent", "sync"]);
    assert.match(gitea.git("ops", ["ls-tree", "--name-only", "main"]), /^SOUL\.md$/m);

    await deployment.ok(["agent", "delete", "ops"]);
    assert.equal(gitea.repositories.get("nixclaw/ops")?.archived, true);
    assert.ok((mattermost.channels.get("ops")?.delete_at ?? 0) > 0);
    assert.equal(await pidOf(), pid);
    assert.equal((await deployment.status()).bots[0]?.restarts, 0);
  });

  test("agents answer in a group on Telegram and in a channel of a Discord server, without a mention", async () => {
    const pid = await pidOf();
    const { telegram } = deployment.standIns;
    const group = -1_001_234_567_890;
    await deployment.ok(["agent", "new", "crew", "--channel", "telegram", "--chat", `${group}`]);
    await deployment.ok(["agent", "new", "den", "--channel", "discord"]);
    const room = discord.channels.get("den");
    assert.match(room?.topic ?? "", /^Agent den/);
    for (const [name, service, say] of [
      ["crew", telegram, (text: string) => telegram.sendAsUser(text, group)],
      ["den", discord, (text: string) => discord.sendAsUser(text, room?.id)],
    ] as const) {
      const said = word();
      say(`Say the word: ${said}`);
      assert.match(await service.nextReply(REPLY_MS), new RegExp(said));
      // It was this agent: its workspace is filled at its first turn.
      assert.ok(
        readdirSync(join(deployment.state, "bots", "a", "agents", name)).includes("SOUL.md"),
      );
      await deployment.ok(["agent", "delete", name]);
    }
    assert.ok(discord.channels.has("den"), "Discord has no archive");
    assert.equal(await pidOf(), pid);
  });

  test("seawall down leaves no process, socket or mount", async () => {
    const { pid, broker, bots } = await deployment.status();
    const inside = bots.flatMap((bot) => (bot.pid === undefined ? [] : processesInside(bot.pid)));
    const sockets = socketsOf(pid);
    assert.notEqual(sockets.size, 0);
    await deployment.ok(["down"]);
    const left = [pid, broker.pid ?? 0, ...inside].filter((each) => each > 0 && isAlive(each));
    assert.deepEqual(left, []);
    assert.deepEqual(traces(deployment.folder, sockets), []);
  });

  test("each WebSocket left a record with what went over it, and none of it a token", () => {
    const sockets = records().filter(({ status }) => status === 101);
    const of = (grant: string): Line[] => sockets.filter((line) => line.grant === grant);
    assert.equal(of("discord").length, discord.connections.length);
    assert.equal(of("mattermost").length, mattermost.connections.length);
    assert.equal(of("slack-app").length, slack.connections.length);
    for (const line of sockets) {
      assert.equal(line.kind, "call");
      assert.match(line.path ?? "", /^\/(\?v&encoding|api\/v4\/websocket|link\/\?ticket&app_id)$/);
      assert.ok((line.bytesIn ?? 0) > 0, JSON.stringify(line));
      // Slack's sockets log in by their address: on one that was told nothing, nothing is acknowledged.
      if (line.grant !== "slack-app") assert.ok((line.bytesOut ?? 0) > 0, JSON.stringify(line));
    }
  });
});
