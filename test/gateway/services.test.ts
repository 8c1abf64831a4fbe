import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Leaf } from "../../src/authority/index.ts";
import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import { serviceAccount, TokenStandIn } from "../../src/broker/mint/testing/TokenStandIn.ts";
import {
  sendJson,
  serveHttps,
  startStandIns,
  type HttpsServer,
  type StandIns,
} from "../../src/demo/index.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { startToolModel, type ToolModel } from "../support/ToolModel.ts";

/** Two bots with the real OpenClaw, whose agents have client commands and nothing else to run. */
describe("agents that use their services by client commands", () => {
  let deployment: Deployment;
  let other: StandIns;
  let model: ToolModel;
  const servers: HttpsServer[] = [];
  const provider = new TokenStandIn({ refreshToken: "unused", clientSecret: "unused" });
  const otherToken = `7000000001:AA${randomBytes(30).toString("base64url").slice(0, 33)}`;
  const calls: string[] = [];

  before(async () => {
    deployment = await Deployment.make();
    other = await startStandIns({ anthropicKey: "unused", telegramToken: otherToken });
    writeFileSync(join(deployment.folder, "other.pem"), other.caPem);
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
    servers.push(model, tokens, google);
    await deployment.ok(["secret", "set", "google-key"], serviceAccount());
    await deployment.ok(["secret", "set", "other-telegram"], otherToken);
    const at = ({ port }: { port: number }, ca: string): object => ({
      host: "127.0.0.1",
      port,
      ca,
    });
    const anthropic = { secret: "anthropic", dial: at(model, "services.pem") };
    const telegramOf = (secret: string, standIns: StandIns, ca: string): object => ({
      secret,
      allowFrom: [standIns.telegram.userId],
      dial: at(standIns.telegram, ca),
    });
    deployment.declare(
      {
        a: deployment.bot({
          port: await freePort(),
          more: {
            grants: {
              anthropic,
              telegram: telegramOf("telegram", deployment.standIns, "stand-ins.pem"),
              "google-api": { secret: "google", dial: at(google, "services.pem") },
              bridge: { to: ["b"] },
            },
            exec: { allow: ["google-api"] },
            tools: { allow: ["read"] },
          },
        }),
        b: deployment.bot({
          port: await freePort(),
          more: {
            grants: {
              anthropic,
              telegram: telegramOf("other-telegram", other, "other.pem"),
              bridge: { to: ["a"] },
            },
          },
        }),
      },
      {
        secrets: {
          anthropic: { vault: "anthropic" },
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
      },
    );
    await deployment.ok(["up"]);
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
    await other.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  /** What the exec tool gave a bot for a command, once the bot has told it and listens again. */
  async function run(bot: "a" | "b", command: string): Promise<string> {
    const { telegram } = bot === "a" ? deployment.standIns : other;
    telegram.sendAsUser(`RUN: ${command}`);
    const result = await model.resultOf(command);
    // What OpenClaw says while it works comes before.
    while ((await telegram.nextReply(120_000)).startsWith("Working"));
    return result;
  }

  test("an agent reads its owner's calendar by google-api", async () => {
    const reply = await run("a", "google-api calendar.list");
    assert.match(reply, /A calendar by the sea/);
    assert.deepEqual(calls, ["GET /calendar/v3/users/me/calendarList"]);
  });

  test("what is not granted is refused by the rule, and not made", async () => {
    const reply = await run("a", "google-api call DELETE /calendar/v3/calendars/primary");
    assert.match(reply, /not-allowed/);
    assert.match(reply, /none of GET/);
    assert.equal(calls.length, 1);
  });

  test("a bot writes to another by the bridge, which reads it with who it is from", async () => {
    const sent = await run("a", "bridge send to=b text=the-tide-is-in");
    assert.match(sent, /id/);
    const read = await run("b", "bridge receive");
    assert.match(read, /the-tide-is-in/);
    assert.match(read, /from[^a-z]+a[^a-z]/);
    const denied = await run("b", "google-api calendar.list");
    assert.doesNotMatch(denied, /A calendar by the sea/);
  });

  test("the record has each of these", async () => {
    const records = await deployment.ok(["audit", "query", "--json", "--limit", "5000"]);
    assert.match(records, /"method": ?"send"/);
    assert.match(records, /calendarList/);
    assert.ok(!records.includes("the-tide-is-in"));
  });
});
