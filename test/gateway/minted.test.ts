import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureAuthority, issueLeaf } from "../../src/authority/index.ts";
import { serveHttps, type HttpsServer } from "../../src/demo/serveHttps.ts";
import { Deployment, freePort } from "../support/Deployment.ts";

/** The real OpenClaw and the walled broker, where the model's key is a token that is made. */
describe("a secret that is made", () => {
  let deployment: Deployment;
  let endpoint: HttpsServer;
  const values = {
    client: `client-${randomBytes(20).toString("hex")}`,
    refresh: `refresh-${randomBytes(20).toString("hex")}`,
  };
  let accepted = values.refresh;
  const asked: URLSearchParams[] = [];

  before(async () => {
    deployment = await Deployment.make();
    const authority = await ensureAuthority(join(deployment.folder, "login-ca"));
    writeFileSync(join(deployment.folder, "login.pem"), authority.caPem);
    endpoint = await serveHttps(
      await issueLeaf(authority, ["login.example.com"]),
      (request, response) => {
        const form = new URLSearchParams(request.body.toString());
        asked.push(form);
        const good =
          form.get("refresh_token") === accepted && form.get("client_secret") === values.client;
        response.writeHead(good ? 200 : 400, { "content-type": "application/json" });
        response.end(
          JSON.stringify(
            good
              ? {
                  access_token: deployment.canaries.anthropic,
                  token_type: "Bearer",
                  expires_in: 3600,
                }
              : { error: "invalid_grant" },
          ),
        );
      },
    );
    for (const [name, value] of Object.entries(values))
      await deployment.ok(["secret", "set", name], value);
    const { host, port } = endpoint;
    deployment.declare(
      { a: deployment.bot({ port: await freePort(), telegram: true }) },
      {
        secrets: {
          telegram: { vault: "telegram" },
          client: { vault: "client" },
          refresh: { vault: "refresh" },
          anthropic: {
            oauth2: {
              tokenUrl: "https://login.example.com/token",
              clientId: "seawall",
              clientSecret: "client",
              refreshToken: "refresh",
              scopes: ["model"],
              dial: { host, port, ca: "login.pem" },
            },
          },
        },
      },
    );
    await deployment.ok(["up"]);
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
    await endpoint.close();
  });

  test("serves a bot's calls, made once, and stands in the record by its name", async () => {
    assert.notEqual(await deployment.converse("hello"), "");
    assert.notEqual(await deployment.converse("and again"), "");
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.get("grant_type"), "refresh_token");
    assert.equal(asked[0]?.get("scope"), "model");
    const found = await deployment.ok(["audit", "query", "--kind", "mint", "--json"]);
    assert.match(found, /"secret":\s*"anthropic"/);
    assert.match(found, /"host":\s*"login\.example\.com:443"/);
    assert.match(await deployment.ok(["audit", "query", "--kind", "mint"]), /mint anthropic/);
  });

  test("is made anew when what it is made from was exchanged, and status says when that fails", async () => {
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

  test("leaves nothing of itself on the disk, nor what it is made from outside of the vault", () => {
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
});
