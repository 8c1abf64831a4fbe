import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { catalogue } from "../catalogue/index.ts";
import { checkShape } from "../declaration/index.ts";
import { makePlan, type BotPlan } from "../plan/index.ts";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { ensureAuthority } from "../authority/index.ts";
import { compileDeployment } from "../broker/Deployment.ts";
import { brokerConfig, phantomEnvironment, phantomVariables } from "./brokerConfig.ts";
import { statePaths } from "../paths/index.ts";

const KEY = Buffer.alloc(32, 7);

function botOf(grants: object): BotPlan {
  const { declaration, faults } = checkShape({
    seawall: 1,
    secrets: { s: { vault: "s" } },
    bots: {
      a: {
        openclaw: "2026.9.6",
        model: "anthropic/x",
        grants: { anthropic: { secret: "s" }, ...grants },
      },
    },
  });
  assert.deepEqual(faults, []);
  assert.ok(declaration);
  const [bot] = makePlan(declaration, { catalogue, versions: ["2026.9.6"] }).plan?.bots ?? [];
  assert.ok(bot);
  return bot;
}

test("phantomEnvironment() holds the phantoms alone where git has no part", () => {
  const environment = phantomEnvironment(botOf({ "x.example.com": { tunnel: 443 } }), KEY);
  assert.deepEqual(Object.keys(environment), ["ANTHROPIC_API_KEY"]);
});

test("phantomEnvironment() gives clients of AWS one key for all signing grants, and the region if there is one", () => {
  const one = { bedrock: { secret: "s", aws: { region: "eu-central-1" } } };
  const s3 = (region: string): object => ({
    "aws-s3": { secret: "s", aws: { region }, allow: [{ s3: "reports", access: "read" }] },
  });
  const environment = phantomEnvironment(botOf({ ...one, ...s3("eu-central-1") }), KEY);
  assert.match(environment["AWS_ACCESS_KEY_ID"] ?? "", /^AKIA[A-Z2-7]{20}$/);
  assert.match(environment["AWS_SECRET_ACCESS_KEY"] ?? "", /^[\w-]{40}$/);
  assert.equal(environment["AWS_REGION"], "eu-central-1");
  assert.deepEqual(
    phantomEnvironment(botOf(one), KEY),
    environment,
    "whichever of them it has, and however many",
  );
  const two = phantomEnvironment(botOf({ ...one, ...s3("us-east-1") }), KEY);
  assert.equal(two["AWS_REGION"], undefined);
  assert.equal(two["AWS_ACCESS_KEY_ID"], environment["AWS_ACCESS_KEY_ID"]);
  const other = phantomEnvironment({ ...botOf(one), name: "b" }, KEY);
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    assert.notEqual(other[name], environment[name], "another bot has another key");
});

test("brokerConfig() gives signing grants both halves, and token endpoints their CAs", async (t) => {
  const { declaration } = checkShape({
    seawall: 1,
    secrets: {
      s: { vault: "s" },
      made: {
        googleServiceAccount: "s",
        scopes: ["a"],
        dial: { ca: "ca.pem", host: "127.0.0.1" },
      },
    },
    services: {
      calendar: {
        hosts: ["https://a.example.com"],
        credential: [{ header: "a" }],
        allow: ["GET /"],
      },
    },
    bots: {
      a: {
        openclaw: "2026.9.6",
        model: "own/x",
        settings: { models: { providers: { own: {} } } },
        grants: {
          bedrock: { secret: "s", aws: { region: "eu-central-1" } },
          calendar: { secret: "made" },
        },
      },
    },
  });
  assert.ok(declaration);
  const { plan } = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.ok(plan);
  const folder = temporaryFolder(t);
  const paths = statePaths({ SEAWALL_STATE: folder }, 1000);
  const config = await brokerConfig({
    generation: {
      number: 1,
      created: "",
      declaration: "",
      plan,
      programs: { node: "", launcher: "", shell: "" },
      bots: {},
      mintCas: { made: "CA" },
    },
    paths,
    authority: await ensureAuthority(folder),
    vault: { file: "", identity: "" },
    credentials: undefined,
  });
  assert.deepEqual(config.minted?.[0]?.dial, { host: "127.0.0.1", ca: "CA" });
  assert.doesNotThrow(() => compileDeployment(config, { read: () => Promise.reject(new Error()) }));
  const [bot] = config.bots;
  const grant = bot?.grants.find((each) => each.name === "bedrock");
  assert.ok(grant?.kind === "inject");
  const environment = phantomEnvironment(plan.bots[0] ?? assert.fail(), KEY);
  assert.equal(grant.phantom.length, environment["AWS_ACCESS_KEY_ID"]?.length);
  assert.equal(grant.phantomSecret?.length, 40);
});

test(
  "phantomEnvironment() makes git send each phantom to its own host and nowhere else",
  { skip: !existsSync("/usr/bin/git") && "git is not there" },
  () => {
    const environment = phantomEnvironment(
      botOf({
        github: { secret: "s" },
        gitlab: { secret: "s", url: "https://code.example.com:8443" },
      }),
      KEY,
    );
    const headerFor = (url: string): string => {
      try {
        return execFileSync("/usr/bin/git", ["config", "--get-urlmatch", "http.extraHeader", url], {
          cwd: "/",
          env: { ...environment, HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" },
          encoding: "utf8",
        }).trim();
      } catch {
        return "";
      }
    };
    const basic = (phantom = ""): string =>
      `Authorization: Basic ${Buffer.from(`x-access-token:${phantom}`).toString("base64")}`;
    assert.equal(headerFor("https://github.com/o/r.git"), basic(environment["GH_TOKEN"]));
    assert.equal(
      headerFor("https://code.example.com:8443/o/r"),
      basic(environment["GITLAB_TOKEN"]),
    );
    for (const elsewhere of [
      "https://github.com.example.com/o/r",
      "http://github.com/o/r",
      "https://github.com:444/o/r",
      "https://gitlab.com/o/r",
    ])
      assert.equal(headerFor(elsewhere), "", elsewhere);
  },
);

test("phantomVariables() names what phantomEnvironment() sets", () => {
  for (const bot of [botOf({}), botOf({ github: { secret: "s" } })]) {
    assert.deepEqual(
      phantomVariables(bot).toSorted(),
      Object.keys(phantomEnvironment(bot, KEY)).toSorted(),
    );
  }
});
