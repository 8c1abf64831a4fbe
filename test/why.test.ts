import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { RunPlace } from "./support/RunPlace.ts";

const place = new RunPlace();
after(() => place[Symbol.dispose]());
const DECLARATION = join(place.project, "seawall.json5");

const bot = (name: string, host: string) =>
  `${name}: { port: ${name === "reef" ? 18789 : 18790}, openclaw: "2026.9.6", model: "anthropic/claude-sonnet-4-6",
     grants: { anthropic: { secret: "anthropic" }, "${host}": { tunnel: 443 } } }`;
const declare = (...bots: readonly string[]) =>
  writeFileSync(
    DECLARATION,
    `{ seawall: 1, secrets: { anthropic: { vault: "anthropic" } }, bots: { ${bots.join(", ")} } }`,
  );

interface Answer {
  readonly allowed: boolean;
  readonly for: string;
  readonly flag?: string;
}

function why(...args: readonly string[]): Answer & { readonly code: number | null } {
  const { code, stdout, stderr } = place.call(["why", ...args, "--json"]);
  assert.notEqual(stdout, "", stderr);
  return { ...(JSON.parse(stdout) as Answer), code };
}

const CONNECT = ["connect", "one.example.com"];

test("why answers for the only bot of the declaration here, and says so", () => {
  declare(bot("reef", "one.example.com"));
  const found = why(...CONNECT);
  assert.deepEqual([found.allowed, found.code], [true, 0]);
  assert.equal(found.for, `bot "reef", the only one of ${DECLARATION}`);
  assert.equal(why("connect", "two.example.com").code, 1);
  const text = place.call(["why", ...CONNECT]).stdout;
  assert.match(text, /^allowed: connect one\.example\.com\n {2}for bot "reef"/);
});

test("why answers for a run where there is no declaration, or none with a single bot", () => {
  rmSync(DECLARATION, { force: true });
  const none = why(...CONNECT);
  assert.deepEqual([none.allowed, none.for], [false, "seawall run without a profile"]);
  assert.equal(none.flag, "--allow-domain one.example.com");
  declare(bot("reef", "one.example.com"), bot("shoal", "two.example.com"));
  const several = why(...CONNECT);
  assert.equal(several.allowed, false);
  assert.match(several.for, /^seawall run without a profile; for a bot of .*, name it with --bot$/);
});

test("why answers for whom it is asked, whatever is declared", () => {
  declare(bot("reef", "one.example.com"), bot("shoal", "two.example.com"));
  assert.equal(why(...CONNECT, "--bot", "reef").allowed, true);
  assert.equal(why(...CONNECT, "--bot", "shoal").allowed, false);
  declare(bot("reef", "one.example.com"));
  assert.equal(why(...CONNECT, "--file", DECLARATION).allowed, true);
  const run = why(...CONNECT, "--profile", "node");
  assert.deepEqual([run.allowed, run.for], [false, 'seawall run with the profile "node"']);
  assert.equal(why(...CONNECT, "--workdir", ".").for, "seawall run without a profile");
});

test("why refuses a declaration with faults, a bot that isn't there, and two things at once", () => {
  writeFileSync(DECLARATION, "{ seawall: 1, bots: 7 }");
  assert.equal(place.call(["why", ...CONNECT]).code, 3);
  assert.equal(place.call(["why", ...CONNECT, "--profile", "node"]).code, 1);
  declare(bot("reef", "one.example.com"));
  const strange = place.call(["why", ...CONNECT, "--bot", "shoal"]);
  assert.match(strange.stderr, /there is no bot "shoal"/);
  const both = place.call(["why", ...CONNECT, "--bot", "reef", "--profile", "node"]);
  assert.deepEqual([both.code, both.stdout], [2, ""]);
});
