import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const MARK = "this was packed";

// A project of its own, whose sources may be changed.
let project = "";
before(() => {
  project = mkdtempSync("/var/tmp/seawall-packed-");
  cpSync(join(ROOT, "src"), join(project, "src"), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "tsconfig.json"])
    cpSync(join(ROOT, file), join(project, file));
  mkdirSync(join(project, "build"));
  symlinkSync(join(ROOT, "node_modules"), join(project, "node_modules"));
  pack();
});
after(() => rmSync(project, { recursive: true, force: true }));

function node(args: readonly string[]) {
  const env = { PATH: process.env["PATH"], HOME: project, SEAWALL_STORE: join(project, "store") };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: project,
    encoding: "utf8",
    env: { ...env, SEAWALL_STATE: join(project, "state") },
  });
  return { code: status, text: stdout + stderr };
}

function pack(): void {
  const { code, text } = node(["src/cli/packed/makePacked.ts"]);
  assert.equal(code, 0, text);
}

const seawall = (...args: string[]) => node(["src/cli/start.cjs", ...args]);

const PACKED = (): string[] => readdirSync(join(project, "build/packed")).toSorted();

function pathOf(pattern: RegExp): string {
  const found = PACKED().filter((name) => pattern.test(name));
  assert.equal(found.length, 1, `${pattern}: ${PACKED().join(" ")}`);
  return join(project, "build/packed", found[0] ?? "");
}

/** Makes it seen whether what is packed is used: it then says so and does nothing else. */
function markPacked(): void {
  writeFileSync(
    pathOf(/^rest-.*\.cjs$/),
    `(function (exports, require, module) { module.exports = { modules: {
       "src/cli/runCommandLine.ts": () => ({ runCommandLine: () => (console.log("${MARK}"), 0) }) } } })`,
  );
  rmSync(pathOf(/^rest-.*\.code$/));
}

const isUsed = (): boolean => seawall("--help").text.includes(MARK);

test("what is packed says the same as the sources", () => {
  for (const args of [["--help"], ["run", "--help"], ["schema"], ["nonsense"], ["run", "--x"]]) {
    const fromSources = node(["src/cli/main.ts", ...args]);
    assert.deepEqual(seawall(...args), fromSources);
  }
});

test("packing again does nothing, and nothing old is left", () => {
  const files = PACKED();
  const times = files.map((name) => statSync(join(project, "build/packed", name)).ino);
  pack();
  assert.deepEqual(PACKED(), files);
  assert.deepEqual(
    files.map((name) => statSync(join(project, "build/packed", name)).ino),
    times,
  );
});

test("what is packed is used only while the sources are what was packed", () => {
  markPacked();
  assert.ok(isUsed(), "control: it is used at all");

  const source = join(project, "src/cli/help.ts");
  const text = readFileSync(source, "utf8");
  const { atime, mtime } = statSync(source);
  // As long as before and with the old time, which a look at sizes and times would miss.
  writeFileSync(source, text.replace("usage: seawall COMMAND", "usage: seawell COMMAND"));
  utimesSync(source, atime, mtime);
  const changed = seawall("--help").text;
  assert.match(changed, /usage: seawell COMMAND/);
  assert.doesNotMatch(changed, new RegExp(MARK));

  writeFileSync(source, text);
  assert.ok(isUsed(), "the same content with another stamp");
  const index = JSON.parse(readFileSync(join(project, "build/packed/rest.json"), "utf8")) as {
    files: readonly (readonly [string, string])[];
  };
  const { size, mtimeMs, ctimeMs, ino } = statSync(source);
  const noted = index.files.find(([path]) => path === "src/cli/help.ts")?.[1];
  assert.equal(noted, `${size}:${mtimeMs}:${ctimeMs}:${ino}`, "the new stamp was not kept");

  rmSync(join(project, "src/cli/askHidden.ts"));
  assert.ok(!isUsed(), "a file of the sources is gone");
  cpSync(join(ROOT, "src/cli/askHidden.ts"), join(project, "src/cli/askHidden.ts"));
});

test("what somebody else could have written is not used", (t) => {
  if (!isUsed()) markPacked();
  const file = pathOf(/^rest-.*\.cjs$/);
  for (const mode of [0o664, 0o646]) {
    chmodSync(file, mode);
    assert.ok(!isUsed(), mode.toString(8));
  }
  chmodSync(file, 0o644);
  assert.ok(isUsed(), "control");
  if (process.getuid?.() !== 0) {
    t.diagnostic("another owner is tried by root only");
    return;
  }
  chownSync(file, 65534, 65534);
  assert.ok(!isUsed(), "another owner");
});

test("a packed file that is cut short, of another place or gone is as good as none", () => {
  rmSync(join(project, "build/packed"), { recursive: true });
  const plain = seawall("run", "--help");
  assert.equal(plain.code, 0);
  pack();
  for (const spoil of [
    () => writeFileSync(pathOf(/^rest-.*\.cjs$/), "(function ("),
    () => writeFileSync(join(project, "build/packed/rest.json"), '{"root":'),
    () => rmSync(pathOf(/^first-.*\.cjs$/)),
    () => rmSync(join(project, "build/packed/first.json")),
  ]) {
    spoil();
    assert.deepEqual(seawall("run", "--help"), plain);
  }
  rmSync(join(project, "build/packed"), { recursive: true });
  pack();
  markPacked();
  const index = join(project, "build/packed/rest.json");
  const text = readFileSync(index, "utf8");
  writeFileSync(index, text.replace(`"root":"${project}"`, '"root":"/elsewhere"'));
  assert.ok(!isUsed(), "packed for another place");
});
