import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { catalogue } from "../catalogue/index.ts";
import { checkShape } from "../declaration/index.ts";
import { makePlan, type BotPlan } from "../plan/index.ts";
import { phantomEnvironment } from "./brokerConfig.ts";

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
