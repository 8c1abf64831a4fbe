import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runSeawall } from "./support/runSeawall.ts";
import { temporaryFolder } from "./support/temporaryFolder.ts";

test("seawall --help lists every command, and each explains itself", async (t) => {
  const state = temporaryFolder(t);
  const { code, stdout } = await runSeawall(["--help"], { state });
  assert.equal(code, 0);
  const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1] ?? "");
  assert.ok(names.length >= 13, stdout);
  for (const name of names) {
    const help = await runSeawall([name, "--help"], { state });
    assert.equal(help.code, 0, name);
    assert.ok(help.stdout.startsWith(`usage: seawall ${name}`), name);
    assert.ok(
      help.stdout.split("\n").every((line) => line.length <= 100),
      help.stdout,
    );
  }
  assert.deepEqual(readdirSync(state), [], "asking for help writes nothing");
});

test("seawall --version says which one this is", async (t) => {
  const state = temporaryFolder(t);
  for (const word of ["--version", "-V", "version"]) {
    const { code, stdout } = await runSeawall([word], { state });
    assert.equal(code, 0);
    assert.match(stdout, /^seawall \d+\.\d+\.\d+\n$/);
  }
});

for (const [args, message] of [
  [["stauts"], /there is no command "stauts"\n {2}hint: did you mean "status"\?/],
  [["status", "--nope"], /unknown option '--nope'/],
  [["status", "extra"], /too many words/],
  [["secret"], /something is missing: seawall secret set NAME/],
  [["secret", "frobnicate"], /usage: seawall secret/],
  [["service", "show", "nope"], /there is no service "nope"/],
  [["logs", "-n", "many"], /that is no number of lines/],
  [["check", "missing.json5"], /"missing.json5" is not there/],
  [["check"], /there is no seawall.json5 here/],
] as const) {
  test(`seawall ${args.join(" ")} is a usage error that says what to do`, async (t) => {
    const { code, stdout, stderr } = await runSeawall(args, {
      state: temporaryFolder(t),
      env: { HOME: "/nonexistent" },
    });
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^A-Z].*\n {2}hint: .+\n$/s);
    assert.equal(stdout, "");
  });
}

test("seawall status, down and restart say that nothing runs, with exit 1", async (t) => {
  const state = temporaryFolder(t);
  for (const verb of ["status", "down", "restart"]) {
    const { code, stderr } = await runSeawall([verb], { state });
    assert.equal(code, 1, verb);
    assert.equal(stderr, "error: nothing is running\n  hint: start it with: seawall up\n");
    const json = await runSeawall([verb, "--json"], { state });
    assert.equal((JSON.parse(json.stdout) as { code: string }).code, "not-running");
  }
});

test("seawall secret stores, lists and removes without ever showing a value", async (t) => {
  const state = temporaryFolder(t);
  const value = `sk-ant-api03-canary-${"q".repeat(40)}`;
  const outputs: string[] = [];
  const run = async (args: string[], input = ""): Promise<number | null> => {
    const { code, stdout, stderr } = await runSeawall(["secret", ...args], { state, input });
    outputs.push(stdout, stderr);
    return code;
  };
  assert.equal(await run(["set", "anthropic"], `${value}\n`), 0);
  assert.equal(await run(["set", "other"], value), 0);
  assert.equal(await run(["list"]), 0);
  assert.match(outputs.at(-2) ?? "", /^name .*\nanthropic +vault +20\d\d-.*\nother /);
  assert.equal(await run(["list", "--json"]), 0);
  assert.equal(await run(["rm", "other"]), 0);
  assert.equal(await run(["rm", "other"]), 1);
  assert.match(outputs.at(-1) ?? "", /no secret "other"/);
  assert.equal(await run(["set", "empty"], "\n"), 2);
  assert.equal(await run(["set", "Bad Name"], "x"), 2);
  assert.ok(!outputs.join("").includes("canary"));
  for (const file of globSync("**/*", { cwd: state, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    assert.ok(!readFileSync(path).includes("canary"), path);
  }
});

test("seawall secret set never takes the value as an argument", async (t) => {
  const state = temporaryFolder(t);
  const { code } = await runSeawall(["secret", "set", "name", "value"], { state });
  assert.equal(code, 2);
});

test("seawall secret on a damaged vault says so and leaves it as it is", async (t) => {
  const state = temporaryFolder(t);
  await runSeawall(["secret", "set", "one"], { state, input: "value-of-one" });
  const file = join(state, "vault", "vault.age");
  const bytes = readFileSync(file);
  const damaged = Buffer.concat([bytes.subarray(0, -10), Buffer.from("0123456789")]);
  writeFileSync(file, damaged);
  for (const args of [["list"], ["set", "two"], ["rm", "one"]]) {
    const { code, stderr } = await runSeawall(["secret", ...args], { state, input: "x" });
    assert.equal(code, 5, args.join(" "));
    assert.match(stderr, /damaged/);
  }
  assert.deepEqual(readFileSync(file), damaged);
});

test("seawall plan prints the same bytes for the same declaration", async (t) => {
  const state = temporaryFolder(t);
  writeFileSync(
    join(state, "seawall.json5"),
    `{ seawall: 1, secrets: { anthropic: { vault: "anthropic" } },
       bots: { a: { openclaw: "2026.9.6", model: "anthropic/x", grants: { anthropic: { secret: "anthropic" } } } } }`,
  );
  const one = await runSeawall(["plan", "--json"], { state });
  const two = await runSeawall(["plan", "--json"], { state });
  assert.equal(one.code, 0, one.stderr);
  assert.equal(one.stdout, two.stdout);
  const people = await runSeawall(["plan"], { state });
  assert.match(
    people.stdout,
    /a: OpenClaw 2026\.9\.6.*\n {2}reaches api\.anthropic\.com \(5? ?4 rules, with secret "anthropic"\)/,
  );
});
