import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Leaf } from "../../src/authority/index.ts";
import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import { serviceAccount, TokenStandIn } from "../../src/broker/mint/testing/TokenStandIn.ts";
import {
  sendJson,
  serveHttps,
  startTelegramStandIn,
  type HttpsServer,
  type TelegramStandIn,
} from "../../src/demo/index.ts";
import { gatewayToken } from "../../src/host/hostKeys.ts";
import { statePaths } from "../../src/paths/index.ts";
import { lacksContainers, makeImage } from "../../src/host/containers/testing/TestContainers.ts";
import { findChromium } from "../../src/services/index.ts";
import { TestSite } from "../../src/services/browser/testing/TestSite.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { startToolModel, type ToolModel } from "../support/ToolModel.ts";

const containers = lacksContainers();
const browser = findChromium() !== undefined || process.env["CI"] === "true";

/** The real OpenClaw, whose agent has client commands and nothing else to run; what its services want is made. */
describe("an agent that uses its services by their client commands", () => {
  let deployment: Deployment;
  let model: ToolModel;
  const servers: HttpsServer[] = [];
  const provider = new TokenStandIn({ refreshToken: "unused", clientSecret: "unused" });
  const calls: string[] = [];
  const values = {
    client: `client-${randomBytes(20).toString("hex")}`,
    refresh: `refresh-${randomBytes(20).toString("hex")}`,
    tides: `tides-${randomBytes(20).toString("hex")}`,
  };
  let accepted = values.refresh;
  const asked: URLSearchParams[] = [];
  let site: TestSite;
  /** By which the owner speaks to the bot that is written to. */
  let other: TelegramStandIn;
  let otherPort: number;
  const otherToken = `7123456780:AA${randomBytes(30).toString("base64url").slice(0, 33)}`;

  before(async () => {
    deployment = await Deployment.make();
    const authority = await makeAuthority("services");
    writeFileSync(join(deployment.folder, "services.pem"), authority.ca);
    const notAfter = new Date(Date.now() + 3_600_000);
    const leafFor = async (names: readonly string[]): Promise<Leaf> => ({
      ...(await authority.issue(names)),
      notAfter,
    });
    model = await startToolModel(
      await leafFor(["api.anthropic.com"]),
      deployment.canaries.anthropic,
    );
    const tokens = await serveHttps(
      await leafFor(["oauth2.googleapis.com"]),
      (request, response) => {
        const form = new URLSearchParams(request.body.toString());
        // The real endpoint's checks, by what checks them in the broker's own tests.
        const asked = Object.assign(
          (async function* () {
            yield request.body;
          })(),
          {
            method: request.method,
            url: request.url.pathname,
            headers: request.headers,
          },
        );
        assert.ok(form.has("assertion"));
        provider.handleToken(asked as never, response);
      },
    );
    const google = await serveHttps(
      await leafFor([
        "www.googleapis.com",
        "gmail.googleapis.com",
        "sheets.googleapis.com",
        "tasks.googleapis.com",
      ]),
      (request, response) => {
        const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
        calls.push(`${request.method} ${request.url.pathname}`);
        if (provider.issued.get(token)?.subject !== "bot@example.com")
          return sendJson(response, 401, { error: "bad token" });
        sendJson(response, 200, { items: [{ summary: "A calendar by the sea" }] });
      },
    );
    const login = await serveHttps(await leafFor(["login.example.com"]), (request, response) => {
      const form = new URLSearchParams(request.body.toString());
      asked.push(form);
      const good =
        form.get("refresh_token") === accepted && form.get("client_secret") === values.client;
      if (!good) return sendJson(response, 400, { error: "invalid_grant" });
      sendJson(response, 200, {
        access_token: deployment.canaries.anthropic,
        token_type: "Bearer",
        expires_in: 3600,
      });
    });
    const tides = await serveHttps(await leafFor(["tides.example.com"]), (request, response) => {
      calls.push(`${request.method} ${request.url.pathname}${request.url.search}`);
      if (request.headers["x-key"] !== values.tides) return sendJson(response, 401, {});
      sendJson(response, 200, { high: "at six" });
    });
    servers.push(model, tokens, google, login, tides);
    site = await TestSite.start("127.0.0.1");
    otherPort = await freePort();
    mkdirSync(join(deployment.folder, "git"));
    const podman = containers === false ? { podman: await ownImage() } : {};
    site.html("/tides", "<main><h1>Tides</h1><p>High water at six.</p></main>");
    other = await startTelegramStandIn(await leafFor(["api.telegram.org"]), otherToken);
    for (const [name, value] of Object.entries(values))
      await deployment.ok(["secret", "set", name], value);
    await deployment.ok(["secret", "set", "google-key"], serviceAccount());
    await deployment.ok(["secret", "set", "other-telegram"], otherToken);
    const at = ({ port }: { port: number }, ca: string): object => ({
      host: "127.0.0.1",
      port,
      ca,
    });
    deployment.declare(
      {
        a: deployment.bot({
          port: await freePort(),
          more: {
            grants: {
              anthropic: { secret: "anthropic", dial: at(model, "services.pem") },
              telegram: {
                secret: "telegram",
                allowFrom: [deployment.standIns.telegram.userId],
                dial: at(deployment.standIns.telegram, "stand-ins.pem"),
              },
              "google-api": { secret: "google", dial: at(google, "services.pem") },
              bridge: { to: ["b"] },
              tides: { secret: "tides", dial: at(tides, "services.pem") },
              ...(browser
                ? {
                    "browser-fetch": {
                      allowHosts: [`127.0.0.1:${site.port}`],
                      dial: { networks: ["127.0.0.1/32"] },
                    },
                  }
                : {}),
            },
            exec: { allow: ["google-api", "tides-api"] },
          },
        }),
        b: deployment.bot({
          port: otherPort,
          more: {
            exec: { allow: ["cat", "ls"] },
            tools: { allow: ["read", "write"] },
            settings: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } },
            agents: { repositories: { path: join(deployment.folder, "git") }, ...podman },
            grants: {
              anthropic: { secret: "anthropic", dial: at(model, "services.pem") },
              telegram: {
                secret: "other-telegram",
                allowFrom: [other.userId],
                dial: at(other, "services.pem"),
              },
              bridge: {},
            },
          },
        }),
      },
      {
        secrets: {
          client: { vault: "client" },
          refresh: { vault: "refresh" },
          tides: { vault: "tides" },
          anthropic: {
            oauth2: {
              tokenUrl: "https://login.example.com/token",
              clientId: "seawall",
              clientSecret: "client",
              refreshToken: "refresh",
              scopes: ["model"],
              dial: at(login, "services.pem"),
            },
          },
          telegram: { vault: "telegram" },
          "other-telegram": { vault: "other-telegram" },
          "google-key": { vault: "google-key" },
          google: {
            googleServiceAccount: "google-key",
            subject: "bot@example.com",
            scopes: ["https://www.googleapis.com/auth/calendar.readonly"],
            dial: at(tokens, "services.pem"),
          },
        },
        // One that Seawall doesn't know, as a person declares it.
        services: {
          tides: {
            hosts: ["https://tides.example.com"],
            credential: [{ header: "x-key" }],
            allow: ["GET /v1/**"],
          },
        },
      },
    );
    await deployment.ok(["up"]);
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
    await Promise.all([...servers.map((server) => server.close()), other.close(), site.stop()]);
  });

  /** Has the agent behind a Telegram run these in one turn; what the exec tool gave for each. */
  async function run(telegram: TelegramStandIn, ...commands: readonly string[]): Promise<string[]> {
    telegram.sendAsUser(commands.map((each) => `RUN: ${each}`).join("\n"));
    const results = await Promise.all(commands.map((each) => model.resultOf(each)));
    // What OpenClaw says while it works comes before the turn's end.
    while ((await telegram.nextReply(120_000)).startsWith("Working"));
    return results;
  }

  test("a turn reads the calendar, a page, and writes to another bot, and what isn't granted is refused by the rule", async (t) => {
    const page = `browser-fetch fetch url=http://127.0.0.1:${site.port}/tides`;
    const [list = "", sent = "", refused = "", high = "", denied = "", read = ""] = await run(
      deployment.standIns.telegram,
      "google-api calendar.list",
      "bridge send to=b text=six",
      "google-api call DELETE /calendar/v3/calendars/primary",
      "tides-api get /v1/high place=Skye",
      "tides-api call DELETE /v1/high",
      ...(browser ? [page] : []),
    );
    assert.match(list, /A calendar by the sea/);
    assert.match(sent, /[0-9a-f]{8}-[0-9a-f]{4}-4/);
    assert.match(refused, /not-allowed/);
    assert.match(refused, /none of GET/);
    assert.match(high, /at six/);
    assert.match(denied, /not-allowed/);
    assert.deepEqual(calls, ["GET /calendar/v3/users/me/calendarList", "GET /v1/high?place=Skye"]);
    if (browser) assert.match(read, /High water at six/);
    else t.diagnostic("browser-fetch was left out: it needs Chromium");
  });

  test("the agent is told of its commands by its prompt, and of no others", () => {
    const prompt = model.prompt();
    assert.match(prompt, /seawall-commands/);
    assert.match(prompt, /google-api \(/);
    assert.match(prompt, /bridge \(write to other bots/);
    assert.match(prompt, /tides-api/);
    assert.doesNotMatch(prompt, /brave-search/);
  });

  test("the other bot reads what was written to it, and who wrote it", async () => {
    const [received = ""] = await run(other, "bridge receive");
    assert.match(received, /\\"text\\":\s*\\"six\\"/);
    assert.match(received, /\\"from\\":\s*\\"a\\"/);
  });

  test("the record has both", async () => {
    const records = await deployment.ok(["audit", "query", "--grant", "google-api", "--json"]);
    assert.match(records, /calendarList/);
    assert.match(records, /not-allowed/);
    const sent = await deployment.ok(["audit", "query", "--grant", "bridge", "--json"]);
    assert.match(sent, /"send"/);
  });

  test("a made secret serves the calls of both bots, made once, and stands in the record by its name", async () => {
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.get("grant_type"), "refresh_token");
    assert.equal(asked[0]?.get("scope"), "model");
    const found = await deployment.ok(["audit", "query", "--kind", "mint", "--json"]);
    assert.match(found, /"secret":\s*"anthropic"/);
    assert.match(found, /"host":\s*"login\.example\.com:443"/);
    assert.match(await deployment.ok(["audit", "query", "--kind", "mint"]), /mint anthropic/);
  });

  test("a made secret is made anew when what it is made from was exchanged, and status says when that fails", async () => {
    accepted = `refresh-${randomBytes(20).toString("hex")}`;
    await deployment.ok(["secret", "set", "refresh"], `refresh-${randomBytes(20).toString("hex")}`);
    deployment.standIns.telegram.sendAsUser("are you there?");
    await deployment.until(
      ({ health }) =>
        JSON.stringify(health).includes("login.example.com says no (400, invalid_grant)"),
      "the warning",
    );
    await deployment.ok(["secret", "set", "refresh"], accepted);
    deployment.standIns.telegram.sendAsUser("and now?");
    const status = await deployment.until(
      ({ health }) => !JSON.stringify(health).includes("mint:anthropic"),
      "the end of the warning",
    );
    assert.equal(JSON.stringify(status).includes(accepted), false);
    assert.equal(asked.at(-1)?.get("refresh_token"), accepted);
  });

  const ownImage = async (): Promise<{ image: string }> => {
    const folder = join(deployment.folder, "images");
    mkdirSync(folder);
    const { image } = await makeImage(folder);
    return { image };
  };

  const tell = async (agent: string, orders: readonly string[]): Promise<void> => {
    const token = gatewayToken(statePaths({ SEAWALL_STATE: deployment.state }, 0), "b");
    const response = await fetch(`http://127.0.0.1:${otherPort}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: `openclaw/${agent}`,
        messages: [{ role: "user", content: orders.join("\n") }],
      }),
    });
    assert.equal(response.status, 200, await response.text());
  };

  test("a made secret leaves nothing of itself on the disk, nor what it is made from outside of the vault", () => {
    const secrets = [...Object.values(values), accepted, deployment.canaries.anthropic];
    const files = globSync("**/*", { cwd: deployment.folder }).filter(
      (name) =>
        statSync(join(deployment.folder, name), { throwIfNoEntry: false })?.isFile() === true,
    );
    assert.ok(
      files.some((name) => name.endsWith("audit.jsonl")),
      "control: the record is there",
    );
    for (const name of files) {
      const bytes = readFileSync(join(deployment.folder, name), "latin1");
      for (const secret of secrets) assert.ok(!bytes.includes(secret), name);
    }
  });

  test("an agent whose tools have a wall of their own works in its workspace and can't leave it; another can", async () => {
    const made = await deployment.ok(["agent", "new", "ops", "--tools", "wall"]);
    const bare = join(deployment.folder, "git", "ops.git");
    assert.ok(made.includes(`agent ops is there: ${bare}\n`), made);
    assert.match(
      await deployment.ok(["agent", "list"]),
      /^ {2}ops, tools in a wall of their own/mu,
    );
    const home = join(deployment.state, "bots", "b");
    writeFileSync(join(home, "note.md"), "the bot's own");
    // The control, by another path, since results are kept by what was called for.
    await tell("main", ["RUN: cat /home/bot/./note.md"]);
    assert.match(await model.resultOf("cat /home/bot/./note.md"), /the bot.s own/u);
    const orders = [
      ["RUN: cat /home/bot/note.md", /Permission denied/u],
      ["RUN: ls /home/bot/state", /Permission denied/u],
      [`CALL: exec {"command":"ls","host":"gateway"}`, /host not allowed/u],
      [`CALL: exec {"command":"ls","elevated":true}`, /elevated is not available/u],
      [`CALL: write {"path":"kept.md","content":"by its tool"}`, /wrote/u],
      ["RUN: cat kept.md", /by its tool/u],
    ] as const;
    await tell(
      "ops",
      orders.map(([order]) => order),
    );
    for (const [order, expected] of orders)
      assert.match(await model.resultOf(order.replace(/^\w+: /u, "")), expected, order);
    assert.equal(readFileSync(join(home, "agents", "ops", "kept.md"), "utf8"), "by its tool");
  });

  test(
    "an agent whose tools have containers works in them by the real OpenClaw, with its file tools beside",
    { skip: containers },
    async () => {
      await deployment.ok(["agent", "new", "box", "--tools", "podman"]);
      assert.match(await deployment.ok(["agent", "list"]), /^ {2}box, tools in containers/mu);
      const orders = [
        [`CALL: write {"path":"box.md","content":"by its tool"}`, /wrote/u],
        // Of the image, which the bot isn't granted; and what it wrote is there.
        ["RUN: busybox wc -c box.md", /11 box\.md/u],
        ["RUN: echo by its command > made.md; id -u; ls /home/bot", /0\\nagents/u],
        [`CALL: read {"path":"made.md"}`, /by its command/u],
        ["RUN: ls /home/bot/agents/ops", /No such file/u],
        ["RUN: wget -q -O - http://api.anthropic.com/", /bad address|can't connect|unreachable/u],
        [`CALL: exec {"command":"id","host":"gateway"}`, /host not allowed/u],
      ] as const;
      await tell(
        "box",
        orders.map(([order]) => order),
      );
      for (const [order, expected] of orders)
        assert.match(await model.resultOf(order.replace(/^\w+: /u, "")), expected, order);
      await deployment.ok(["agent", "delete", "box"]);
      assert.deepEqual(
        readdirSync(join(deployment.state, "bots", "b", "agents")).includes("box"),
        false,
      );
    },
  );
});
