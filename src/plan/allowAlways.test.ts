import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../catalogue/index.ts";
import { checkShape, editDeclaration, readDeclaration } from "../declaration/index.ts";
import { allowAlways, makePlan, type AskedCall } from "./index.ts";

const CONTEXT = { catalogue, versions: ["2026.9.6"] };

function declare(grants: string): string {
  return `{
  seawall: 1,
  secrets: { anthropic: { vault: "a" }, github: { vault: "g" }, telegram: { vault: "t" } },
  bots: {
    basecamp: {
      openclaw: "2026.9.6",
      model: "anthropic/x",
      // Whom it may talk to.
      grants: {
        anthropic: { secret: "anthropic" },
${grants}
      },
      unknownHosts: "ask",
    },
  },
}`;
}

/** The text of the grants afterwards, or why there is no change. */
function allowed(grants: string, asked: Partial<AskedCall>): string {
  const text = declare(grants);
  const { declaration } = checkShape(readDeclaration(text).value);
  assert.ok(declaration);
  const { plan, faults } = makePlan(declaration, CONTEXT);
  assert.deepEqual(faults, []);
  const grant = plan?.bots[0]?.grants.find(({ name }) => name === asked.grant);
  const ask = { bot: "basecamp", host: "api.github.com:443", rule: "", ...asked };
  const edits = allowAlways(
    declaration,
    catalogue,
    ask,
    grant?.kind === "inject" ? grant : undefined,
  );
  if ("wrong" in edits) return edits.wrong;
  const after = editDeclaration(text, edits);
  const shape = checkShape(readDeclaration(after).value);
  assert.deepEqual(shape.faults, []);
  assert.ok(shape.declaration);
  assert.deepEqual(makePlan(shape.declaration, CONTEXT).faults, []);
  const [start = "", end = ""] = declare("\0").split("\0");
  assert.ok(after.startsWith(start) && after.endsWith(end), after);
  return after.slice(start.length, after.length - end.length);
}

test("allowAlways() moves the rule that says to ask, beside the service's own list", () => {
  assert.equal(
    allowed(
      '        github: { secret: "github", ask: ["PUT /x", "POST /repos/*/*/issues"] }, // code',
      {
        grant: "github",
        rule: "POST /repos/*/*/issues",
      },
    ),
    '        github: { secret: "github", ask: ["PUT /x"], allow: ["...", "POST /repos/*/*/issues"] }, // code',
  );
});

test("allowAlways() adds to a list of the grant's own, and not what it allows already", () => {
  assert.equal(
    allowed(
      '        github: {\n          secret: "github",\n          allow: [\n            "GET /user", // who\n          ],\n          ask: ["PUT /x"],\n        },',
      { grant: "github", rule: "PUT /x" },
    ),
    '        github: {\n          secret: "github",\n          allow: [\n            "GET /user", // who\n            "PUT /x",\n          ],\n          ask: [],\n        },',
  );
  assert.equal(
    allowed('        github: { secret: "github", ask: ["GET api.github.com/user"] },', {
      grant: "github",
      rule: "GET api.github.com/user",
    }),
    '        github: { secret: "github", ask: [] },',
  );
});

test("allowAlways() moves all of several rules, and a repository as it was written", () => {
  assert.equal(
    allowed(
      '        github: { secret: "github", ask: [{ git: "o/r", access: "write" }, "* /o/**"] },',
      {
        grant: "github",
        rule: "POST github.com/o/r/git-receive-pack, * /o/**",
      },
    ),
    '        github: { secret: "github", ask: [], allow: ["...", { git: "o/r", access: "write" }, "* /o/**"] },',
  );
});

test("allowAlways() makes a tunnel of a host, and lists a link's", () => {
  assert.equal(
    allowed('        telegram: { secret: "telegram" },', {
      rule: "unknown-host",
      host: "files.example.com:8443",
    }),
    '        telegram: { secret: "telegram" },\n        "files.example.com": { tunnel: 8443 },',
  );
  assert.equal(
    allowed(
      '        telegram: { secret: "telegram", content: { links: ["a.example"], otherLinks: "ask" } },',
      { grant: "telegram", rule: "link", detail: "a.example, b.example" },
    ),
    '        telegram: { secret: "telegram", content: { links: ["a.example", "b.example"], otherLinks: "ask" } },',
  );
});

test("allowAlways() declares nothing that a bot made up or that isn't there any more", () => {
  const telegram =
    '        telegram: { secret: "telegram", content: { links: [], otherLinks: "ask" } },';
  const hostile: Partial<AskedCall>[] = [
    { bot: "other", rule: "unknown-host", host: "x.example.com:443" },
    { rule: "unknown-host", host: "9.9.9.9:443" },
    { rule: "unknown-host", host: "[::1]:443" },
    { rule: "unknown-host", host: "__proto__:443" },
    { rule: "unknown-host", host: 'x.example.com": { tunnel: 1 }, "y.example.com:443' },
    { grant: "telegram", rule: "link", detail: "a.example, *.example" },
    { grant: "telegram", rule: "link", detail: "not a host" },
    { grant: "telegram", rule: "link" },
    { grant: "telegram", rule: "* /**" },
    { grant: "gone", rule: "GET /" },
  ];
  for (const asked of hostile)
    assert.doesNotMatch(allowed(telegram, asked), /\{/, JSON.stringify(asked));
});
