import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { statePaths } from "../host/index.ts";
import { spellValue } from "../needles/index.ts";
import { fingerprintSecrets, SecretValue } from "../secrets/index.ts";
import { scan, ScanError, type Finding, type ScanReport } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "seawall-scan-"));
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o711);
const state = statePaths(
  {
    SEAWALL_STATE: join(folder, "state"),
    SEAWALL_STORE: process.env["SEAWALL_TEST_STORE"] ?? join(folder, "store"),
  },
  process.getuid?.() ?? 0,
);
/** With what each spelling changes: a slash, a quote, a plus. */
const VALUE = `canary/${randomBytes(24).toString("hex")}+"end`;
const PHANTOM = `ghp_${randomBytes(32).toString("hex").slice(0, 36)}`;
const SHAPED = `ghp_${randomBytes(32).toString("hex").slice(0, 36)}`;
let trees = 0;

interface Tree {
  readonly root: string;
  readonly put: (name: string, content: string | Uint8Array) => string;
}

function makeTree(): Tree {
  const root = join(folder, `tree-${trees++}`);
  mkdirSync(root);
  return {
    root,
    put: (name, content) => {
      const path = join(root, name);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
  };
}

async function look(paths: readonly string[], redact = false): Promise<ScanReport> {
  const said: string[] = [];
  const { fingerprints } = fingerprintSecrets(
    [{ name: "canary", value: new SecretValue(VALUE) }],
    [{ name: "a/github", value: PHANTOM }],
  );
  const onProgress = (line: string): void => void said.push(line);
  const report = await scan({ state, paths, fingerprints, redact, onProgress });
  assert.deepEqual(said, [], "no file was too much for the scanner");
  const text = JSON.stringify(report);
  assert.ok(!text.includes(VALUE) && !text.includes(SHAPED), "a report never holds what was found");
  return report;
}

function values(report: ScanReport): Finding[] {
  return report.findings.filter(({ kind }) => kind === "secret");
}

test("scan() finds every spelling in files, across the borders of what is read at once", async () => {
  const { root, put } = makeTree();
  const spellings = spellValue(VALUE);
  const wanted = spellings.map(({ bytes }, index) => {
    put(`whole-${index}.txt`, bytes);
    // 1 MiB is read at once.
    put(`border-${index}.log`, Buffer.concat([Buffer.alloc(1024 * 1024 - 11, "a\n"), bytes]));
    return index;
  });
  put("clean.txt", "nothing here");
  const report = await look([root]);
  for (const index of wanted) {
    for (const name of [`whole-${index}.txt`, `border-${index}.log`])
      assert.ok(
        values(report).some(({ path }) => path === join(root, name)),
        `${spellings[index]?.spelling} in ${name}`,
      );
  }
  assert.ok(!report.findings.some(({ path }) => path.endsWith("clean.txt")));
  assert.equal(report.files, 2 * spellings.length + 1);
});

test("scan() tells the line, and finds names and targets of links without following them", async () => {
  const { root, put } = makeTree();
  const safe = VALUE.replaceAll("/", "");
  const { fingerprints } = fingerprintSecrets([{ name: "named", value: new SecretValue(safe) }]);
  put("a.txt", `one\ntwo\nthree ${safe}\n`);
  put(`folder-${safe}/inner.txt`, "x");
  symlinkSync(`/nowhere/${safe}`, join(root, "link"));
  symlinkSync("/etc", join(root, "etc"));
  execFileSync("mkfifo", [join(root, "fifo")]);
  const report = await scan({
    state,
    paths: [root],
    fingerprints,
    redact: false,
    onProgress: () => undefined,
  });
  assert.ok(!JSON.stringify(report).includes(safe));
  assert.deepEqual(
    report.findings.map(({ path, line, part }) => [path.slice(root.length), line, part]),
    [
      ["/a.txt", 3, undefined],
      ["/[value]", undefined, "name"],
      ["/link", undefined, "target"],
    ],
  );
});

test("scan() finds values in a database's rows, its log, and what was deleted", async () => {
  const { root } = makeTree();
  const file = join(root, "openclaw.sqlite");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode=WAL; PRAGMA page_size=512; CREATE TABLE notes (id, body)");
  // Longer than a page: in the file it stands in pieces.
  const insert = database.prepare("INSERT INTO notes VALUES (?, ?)");
  insert.run(1, `${"x".repeat(480)}${VALUE}${"y".repeat(3000)}`);
  insert.run(2, Buffer.from(VALUE));
  // Still open: all of it is in the log.
  assert.ok(existsSync(`${file}-wal`));
  const report = await look([root]);
  database.close();
  assert.deepEqual(
    values(report)
      .filter(({ table }) => table !== undefined)
      .map(({ table, row, column }) => [table, row, column]),
    [
      ["notes", 1, "body"],
      ["notes", 2, "body"],
    ],
  );
  const after = new DatabaseSync(file);
  after.exec("DELETE FROM notes WHERE id = 2");
  after.close();
  const again = await look([file]);
  assert.ok(
    values(again).some(({ table }) => table === undefined),
    "in a page that is free again",
  );
});

test("scan() finds values in git's history: removed, packed, on no branch, in messages", async () => {
  const { root, put } = makeTree();
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      cwd: root,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
    });
  git("init", "-q");
  put("config/key.txt", `first\n${VALUE}\n`);
  git("add", ".");
  git("commit", "-qm", "one");
  const first = git("rev-parse", "HEAD").trim();
  rmSync(join(root, "config"), { recursive: true });
  git("commit", "-qam", "two");
  git("gc", "-q");
  git("commit", "-q", "--allow-empty", "-m", `three ${VALUE}`);
  const message = git("rev-parse", "HEAD").trim();
  git("reset", "-q", "--hard", "HEAD~1");
  const report = await look([root]);
  const found = values(report).map(({ commit, file, line }) => ({ commit, file, line }));
  assert.ok(
    found.some(
      ({ commit, file, line }) => commit === first && file === "config/key.txt" && line === 2,
    ),
  );
  assert.ok(found.some(({ commit, file }) => commit === message && file === undefined));
  assert.deepEqual(report.unread, []);
});

test("scan() runs nothing that a repository asks for", async () => {
  const { root, put } = makeTree();
  const mark = join(root, "ran");
  execFileSync("git", ["init", "-q", root]);
  const program = put("evil.sh", `#!/bin/sh\ntouch ${mark}\n`);
  chmodSync(program, 0o755);
  put(
    ".git/config",
    `[core]\nrepositoryformatversion=1\nfsmonitor=${program}\nsshCommand=${program}\npager=${program}\nhooksPath=${root}\n` +
      `[extensions]\npartialClone=origin\n[remote "origin"]\nurl=ext::${program}\npromisor=true\n` +
      `[diff "x"]\ntextconv=${program}\n[filter "x"]\nsmudge=${program}\nclean=${program}\n`,
  );
  put(".gitattributes", "* diff=x filter=x\n");
  put(".git/info/attributes", "* diff=x filter=x\n");
  put(".git/objects/info/alternates", `${join(root, "alternate")}\n`);
  const blob = execFileSync("git", ["hash-object", "-w", "--stdin", "--no-filters"], {
    cwd: root,
    input: VALUE,
    env: { PATH: process.env["PATH"], GIT_DIR: join(root, ".git"), GIT_CONFIG_COUNT: "0" },
    encoding: "utf8",
  }).trim();
  rmSync(mark, { force: true });
  // Control: by itself git does run what the configuration says.
  execFileSync("git", ["-C", root, "status"], { stdio: "ignore" });
  assert.ok(existsSync(mark));
  rmSync(mark);
  const report = await look([root]);
  assert.ok(values(report).some(({ object }) => object === blob));
  assert.ok(!existsSync(mark));
});

test("scan() goes on past what is damaged, hidden or too large, and says so", async () => {
  const { root, put } = makeTree();
  put("broken.sqlite", Buffer.concat([Buffer.from("SQLite format 3\0"), randomBytes(5000)]));
  put("bomb.gz", gzipSync(Buffer.alloc(200 << 20)));
  put("log.gz", gzipSync(`a\n${VALUE}\n`));
  put("log.zst", zstdCompressSync(`a\n${VALUE}\n`));
  put("cut.gz", gzipSync(randomBytes(5000)).subarray(0, 2000));
  closeSparse(put("sparse", ""));
  put("repository/HEAD", "x");
  mkdirSync(join(root, "repository/objects/pack"), { recursive: true });
  mkdirSync(join(root, "repository/refs"));
  put(`repository/objects/pack/pack-${"a".repeat(40)}.pack`, "PACK nonsense");
  put(`${"deep/".repeat(300)}file.txt`, VALUE);
  put("last.txt", VALUE);
  const report = await look([root]);
  assert.deepEqual(
    // A packer may leave a short text as it is, which is found without unpacking, too.
    values(report)
      .filter(({ line }) => line !== undefined)
      .map(({ path, line }) => [path.slice(root.length), line]),
    [
      ["/last.txt", 1],
      ["/log.gz", 2],
      ["/log.zst", 2],
      [`/${"deep/".repeat(300)}file.txt`, 1],
    ],
  );
  assert.deepEqual(
    report.unread.map(({ path }) => path.slice(root.length)),
    ["/bomb.gz", "/broken.sqlite", "/cut.gz", "/sparse"],
  );
});

/** The process that has the file open, once there is one. Its path is as its own wall shows it. */
async function whoReads(name: string): Promise<number> {
  for (const end = performance.now() + 60_000; performance.now() < end;) {
    for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
      try {
        for (const fd of readdirSync(`/proc/${pid}/fd`))
          if (readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith(name)) return Number(pid);
      } catch {
        // Somebody else's, or gone.
      }
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return assert.fail(`nobody opened ${name}`);
}

for (const [signal, why] of [
  ["SIGKILL", "it is too much for the scanner"],
  ["SIGSTOP", "it takes too long to look at"],
] as const) {
  test(`scan() goes on past a file at which the scanner ${signal === "SIGKILL" ? "dies" : "stalls"}`, async () => {
    const { root, put } = makeTree();
    const name = `b-${randomBytes(8).toString("hex")}.bin`;
    put("a.txt", VALUE);
    put("c.txt", VALUE);
    // Long enough to be caught in the middle of it.
    truncateSync(put(name, ""), 3 * 2 ** 30);
    const { fingerprints } = fingerprintSecrets([
      { name: "canary", value: new SecretValue(VALUE) },
    ]);
    const said: string[] = [];
    const onProgress = (line: string): void => void said.push(line);
    const scanning = scan({
      state,
      paths: [root],
      fingerprints,
      redact: false,
      onProgress,
      ...(signal === "SIGSTOP" ? { stallMs: 10_000 } : {}),
    });
    process.kill(await whoReads(name), signal);
    const report = await scanning;
    const path = join(root, name);
    assert.deepEqual(report.unread, [{ path, why }]);
    assert.deepEqual(said, [`${path}: ${why}; beginning again without it`]);
    assert.deepEqual(
      values(report).map((finding) => finding.path.slice(root.length)),
      ["/a.txt", "/c.txt"],
    );
  });
}

function closeSparse(path: string): void {
  truncateSync(path, 5 * 2 ** 30);
}

test("scan() finds shapes, but not a bot's phantom, and whatever a comment says", async () => {
  const { root, put } = makeTree();
  put("phantom.json", JSON.stringify({ token: PHANTOM }));
  put("real.json", JSON.stringify({ token: SHAPED }));
  put("disabled.js", `/* secretlint-disable */\nconst t = "${SHAPED}";\n`);
  put("telegram.txt", `7123456789:AA${randomBytes(32).toString("hex").slice(0, 33)}`);
  put("binary", Buffer.concat([Buffer.alloc(16), Buffer.from(SHAPED)]));
  const report = await look([root]);
  assert.deepEqual(
    report.findings.map((finding) => [
      finding.path.slice(root.length),
      finding.kind === "shape" ? finding.rule : finding.kind,
      finding.line,
    ]),
    [
      ["/disabled.js", "github", 2],
      ["/real.json", "github", 1],
      ["/telegram.txt", "telegram", 1],
    ],
  );
});

test("scan() redacts in place: mode, names and size stay, and so does whoever appends", async () => {
  const { root, put } = makeTree();
  const file = put("log.txt", `before ${VALUE} between ${SHAPED}\nafter\n`);
  chmodSync(file, 0o640);
  linkSync(file, join(root, "z-second-name"));
  const appending = openSync(file, "a");
  const database = join(root, "kept.sqlite");
  const kept = new DatabaseSync(database);
  kept.exec("CREATE TABLE t (v)");
  kept.prepare("INSERT INTO t VALUES (?)").run(VALUE);
  kept.close();
  const outside = join(folder, "outside.txt");
  writeFileSync(outside, VALUE);
  symlinkSync(outside, join(root, "escape"));
  const before = statSync(file);
  const report = await look([root], true);
  appendFileSync(appending, "appended\n");
  const text = readFileSync(join(root, "z-second-name"), "utf8");
  assert.match(text, /^before \[redacted\]\*+ between \[redacted\]\*+\nafter\nappended\n$/);
  const stats = statSync(file);
  assert.deepEqual([stats.mode, stats.ino, stats.nlink], [before.mode, before.ino, before.nlink]);
  assert.equal(readFileSync(outside, "utf8"), VALUE);
  assert.equal(report.findings.filter(({ redacted }) => redacted === true).length, 2);
  const again = await look([root]);
  assert.ok(again.findings.length > 0 && again.findings.every(({ path }) => path === database));
});

test("scan() refuses what it can't look through", async () => {
  const { root, put } = makeTree();
  symlinkSync(put("file", ""), join(root, "link"));
  for (const path of [join(root, "missing"), join(root, "link"), "/", "/dev/null"])
    await assert.rejects(
      look([path]),
      (error) => error instanceof ScanError && error.code === "no-path",
    );
});

test("fingerprintSecrets() finds a private key by its lines, and gives nothing away", () => {
  const line = randomBytes(48).toString("base64");
  const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`;
  const { fingerprints } = fingerprintSecrets([{ name: "pem", value: new SecretValue(pem) }]);
  const text = JSON.stringify(fingerprints);
  assert.ok(!text.includes(line) && !text.includes(line.slice(0, 12)));
  assert.ok(fingerprints.words.hashes.some(({ word }) => word.length === line.length));
});
