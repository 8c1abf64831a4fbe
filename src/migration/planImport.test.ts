import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { SecretValue } from "../secrets/index.ts";
import { MigrationError, planImport, readEnvFile, readStore, type Candidate } from "./index.ts";

function revealed(candidates: readonly Candidate[]): [string, string][] {
  return candidates.map(({ name, value }) => [name, value.revealSecret()]);
}

function storeOf(secrets: Readonly<Record<string, string>>) {
  return {
    list: async () => Object.keys(secrets).map((name) => ({ name })),
    read: async (name: string) => new SecretValue(secrets[name] ?? ""),
  };
}

test("readEnvFile() reads what a shell reads as one plain value", (t) => {
  const file = join(temporaryFolder(t), ".env");
  const lines = [
    "# a comment",
    "ANTHROPIC_API_KEY=plain-value-1",
    "export TELEGRAM_BOT_TOKEN='single $quoted'",
    'MY_OWN="double quoted" # and a comment',
    "WITH_HASH=a#b",
    "COMMENTED=value # not part of it",
  ];
  writeFileSync(file, lines.join("\n"));
  const { candidates, left } = readEnvFile(file);
  assert.deepEqual(left, []);
  assert.deepEqual(revealed(candidates), [
    ["anthropic", "plain-value-1"],
    ["telegram", "single $quoted"],
    ["my-own", "double quoted"],
    ["with-hash", "a#b"],
    ["commented", "value"],
  ]);
  // Control: a shell reads the same.
  const names = ["ANTHROPIC_API_KEY", "TELEGRAM_BOT_TOKEN", "MY_OWN", "WITH_HASH", "COMMENTED"];
  const printed = execFileSync(
    "sh",
    [
      "-c",
      `. "$1"; for n in ${names.join(" ")}; do eval "printf '%s\\n' \\"\\$$n\\""; done`,
      "sh",
      file,
    ],
    { encoding: "utf8" },
  );
  assert.deepEqual(
    printed.trimEnd().split("\n"),
    revealed(candidates).map(([, value]) => value),
  );
});

test("readEnvFile() leaves what isn't plain, and never repeats it", (t) => {
  const file = join(temporaryFolder(t), ".env");
  writeFileSync(
    file,
    'EMPTY=\nOPEN=\'canary-a\nEXPANDED=canary-$b\nRUN=`canary-c`\nESCAPED="canary\\nd"\ncanary-e\n=canary-f\n',
  );
  const { candidates, left } = readEnvFile(file);
  assert.deepEqual(candidates, []);
  assert.equal(left.length, 7);
  assert.ok(!JSON.stringify(left).includes("canary"));
});

test("readEnvFile() refuses what is no such file", (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  symlinkSync("/etc/passwd", at("link"));
  execFileSync("mkfifo", [at("fifo")]);
  writeFileSync(at("binary"), Buffer.from([0x41, 0x3d, 0xff, 0xfe]));
  writeFileSync(at("large"), "");
  truncateSync(at("large"), 2 ** 21);
  for (const name of ["missing", "link", "fifo", "binary", "large", "."])
    assert.throws(
      () => readEnvFile(at(name)),
      (error) => error instanceof MigrationError && error.code === "unreadable",
      name,
    );
});

test("planImport() takes nothing twice and replaces nothing", async () => {
  const candidate = (name: string, value: string): Candidate => ({
    name,
    place: `${name} file`,
    value: new SecretValue(value),
  });
  const plan = await planImport(
    [
      candidate("new", "1"),
      candidate("same", "2"),
      candidate("other", "3"),
      candidate("new", "1"),
      candidate("new", "4"),
    ],
    [],
    storeOf({ same: "2", other: "old" }),
  );
  const names = (items: readonly Candidate[]): string[] => items.map(({ name }) => name);
  assert.deepEqual(
    [names(plan.take), names(plan.known), names(plan.clashes)],
    [["new"], ["same", "new"], ["other", "new"]],
  );
  assert.ok(!JSON.stringify(plan).includes('"4"'));
});

test("readStore() gives accounts the names that secrets have", async () => {
  const { candidates, left } = await readStore(
    storeOf({ openai_api_key: "a", ANTHROPIC_API_KEY: "b", Über: "c" }),
    "keyring, service nono",
  );
  assert.deepEqual(revealed(candidates), [
    ["openai", "a"],
    ["anthropic", "b"],
  ]);
  assert.deepEqual(
    left.map(({ place }) => place),
    ["keyring, service nono: Über"],
  );
});
