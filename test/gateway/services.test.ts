import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Leaf } from "../../src/authority/index.ts";
import { makeAuthority } from "../../src/broker/testing/certificates.ts";
import { serviceAccount, TokenStandIn } from "../../src/broker/mint/testing/TokenStandIn.ts";
import { sendJson, serveHttps, type HttpsServer } from "../../src/demo/index.ts";
import { Deployment, freePort } from "../support/Deployment.ts";
import { startToolModel, type ToolModel } from "../support/ToolModel.ts";

/** The real OpenClaw, whose agent has a client command and nothing else to run. */
describe("an agent that uses its service by a client command", () => {
  let deployment: Deployment;
  let model: ToolModel;
  const servers: HttpsServer[] = [];
  const provider = new TokenStandIn({ refreshToken: "unused", clientSecret: "unused" });
  const calls: string[] = [];

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
    servers.push(model, tokens, google);
    await deployment.ok(["secret", "set", "google-key"], serviceAccount());
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
            },
            exec: { allow: ["google-api"] },
          },
        }),
      },
      {
        secrets: {
          anthropic: { vault: "anthropic" },
          telegram: { vault: "telegram" },
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
    await Promise.all(servers.map((server) => server.close()));
  });

  /** What the exec tool gave for a command, once the bot has told it and listens again. */
  async function run(command: string): Promise<string> {
    const { telegram } = deployment.standIns;
    telegram.sendAsUser(`RUN: ${command}`);
    const result = await model.resultOf(command);
    // What OpenClaw says while it works comes before.
    while ((await telegram.nextReply(120_000)).startsWith("Working"));
    return result;
  }

  test("an agent reads its owner's calendar by google-api", async () => {
    const reply = await run("google-api calendar.list");
    assert.match(reply, /A calendar by the sea/);
    assert.deepEqual(calls, ["GET /calendar/v3/users/me/calendarList"]);
  });

  test("what is not granted is refused by the rule, and not made", async () => {
    const reply = await run("google-api call DELETE /calendar/v3/calendars/primary");
    assert.match(reply, /not-allowed/);
    assert.match(reply, /none of GET/);
    assert.equal(calls.length, 1);
  });

  test("the record has both", async () => {
    const records = await deployment.ok(["audit", "query", "--grant", "google-api", "--json"]);
    assert.match(records, /calendarList/);
    assert.match(records, /not-allowed/);
  });
});
