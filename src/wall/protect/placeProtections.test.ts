import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { compileWall } from "../compileWall.ts";
import { startWalled } from "../startWalled.ts";
import {
  BASE_MOUNTS,
  inside,
  lacking,
  probeSubject,
  program,
  specFor,
  start,
  SUBJECT,
  temporaryFolder,
} from "../testing/harness.ts";
import { LAUNCHER } from "../testing/reachable.ts";
import { WallError } from "../WallError.ts";
import type { Mount, Protection, WallSpec } from "../WallSpec.ts";
import { placeProtections } from "./placeProtections.ts";

const host = await probeSubject();
const skip = lacking(host);

/** A folder of the walled user's with these files; a name that ends in `/` is a folder, `a -> b` a link. */
function makeTree(t: TestContext, names: readonly string[]): string {
  const root = temporaryFolder(t);
  const own = (path: string) => {
    if (SUBJECT.uid !== undefined) chownSync(path, SUBJECT.uid, SUBJECT.gid);
  };
  const folder = (path: string) => {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
    folder(dirname(path));
    mkdirSync(path);
    own(path);
  };
  for (const name of names) {
    const [path = "", target] = name.split(" -> ");
    const place = join(root, path);
    folder(dirname(place));
    if (target !== undefined) symlinkSync(target, place);
    else if (path.endsWith("/")) folder(join(root, path.slice(0, -1)));
    else {
      writeFileSync(place, `content of ${path}\n`);
      own(place);
    }
  }
  return root;
}

function listing(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
}

const writable = (root: string): Partial<WallSpec> => ({
  mounts: [
    ...BASE_MOUNTS.filter(({ to }) => to !== "/tmp"),
    { kind: "write", from: root, to: "/work" },
  ],
});

/** Runs each line of JavaScript, in one process behind the wall, and gives what each came to. */
async function attempts(
  t: TestContext,
  changes: Partial<WallSpec>,
  lines: readonly string[],
): Promise<Record<string, unknown>> {
  const { value } = await inside(t, host, attemptAll(lines), changes);
  return value as Record<string, unknown>;
}

function attemptAll(lines: readonly string[]): string {
  return `const fs = require("fs"); const out = {};
    ${lines.map((line) => `try { out[${JSON.stringify(line)}] = (() => { ${line} })() ?? "done"; } catch (error) { out[${JSON.stringify(line)}] = error.code ?? String(error); }`).join("\n")}
    return out;`;
}

function protect(...protections: Protection[]): Pick<WallSpec, "protect"> {
  return { protect: protections };
}

const SECRET = ["secret", "keep/file", "other"];

test("a hidden file is not there, by whatever name, and can't be made", { skip }, async (t) => {
  const root = makeTree(t, [...SECRET, "keep/link -> ../secret", "keep/absolute -> /work/secret"]);
  const before = listing(root);
  const ways = [
    `return fs.readFileSync("/work/secret", "utf8")`,
    `return fs.readFileSync("/proc/self/root/work/secret", "utf8")`,
    `return fs.readFileSync("/work/keep/../secret", "utf8")`,
    `return fs.readFileSync("/work/keep/link", "utf8")`,
    `return fs.readFileSync("/work/keep/absolute", "utf8")`,
    `fs.linkSync("/work/secret", "/work/keep/hard")`,
    `fs.renameSync("/work/secret", "/work/keep/moved")`,
    `fs.writeFileSync("/work/secret", "x")`,
    `fs.mkdirSync("/work/secret")`,
    `fs.symlinkSync("/etc", "/work/secret")`,
    `fs.renameSync("/work/keep/file", "/work/secret")`,
    `process.chdir("/work"); return fs.readFileSync("secret", "utf8")`,
    `return fs.readdirSync("/work").includes("secret") ? "seen" : "unseen"`,
  ];
  const changes = { ...writable(root), ...protect({ path: "/work/secret", access: "hidden" }) };
  for (const conceded of [false, true]) {
    const bare = { ...host, landlock: 0 };
    const { value } = await inside(t, conceded ? bare : host, attemptAll(ways), {
      ...changes,
      concessions: conceded ? ["no-landlock"] : [],
    });
    for (const [way, result] of Object.entries(value as Record<string, string>))
      assert.match(result, /^(?:ENOENT|EROFS|EACCES|EXDEV|unseen)$/u, way);
  }
  assert.deepEqual(listing(root), before);
  // The control: the same wall without the protection.
  const open = await attempts(t, writable(root), ways.slice(0, 6));
  for (const way of ways.slice(0, 5)) assert.equal(open[way], "content of secret\n", way);
  assert.equal(open[ways[5] ?? ""], "done");
});

test("what a sealed folder holds besides is read and written as before", { skip }, async (t) => {
  const root = makeTree(t, [...SECRET, "link -> other"]);
  const changes = { ...writable(root), ...protect({ path: "/work/secret", access: "hidden" }) };
  const done = await attempts(t, changes, [
    `return fs.readFileSync("/work/link", "utf8")`,
    `fs.writeFileSync("/work/other", "written")`,
    `fs.writeFileSync("/work/keep/new", "written")`,
    `fs.renameSync("/work/keep/new", "/work/keep/newer")`,
    `fs.writeFileSync("/work/new", "written")`,
  ]);
  assert.deepEqual(Object.values(done), ["content of other\n", "done", "done", "done", "EROFS"]);
  assert.equal(readFileSync(join(root, "other"), "utf8"), "written");
  assert.deepEqual(listing(root), ["keep", "keep/file", "keep/newer", "link", "other", "secret"]);
});

test(
  "a hidden file that is made or replaced outside while the wall stands stays hidden",
  { skip },
  async (t) => {
    for (const existed of [true, false]) {
      const root = makeTree(t, existed ? SECRET : SECRET.slice(1));
      const body = `
        const fs = require("fs");
        console.log("up");
        while (!fs.existsSync("/work/keep/go")) await new Promise((resolve) => setImmediate(resolve));
        try { return fs.readFileSync("/work/secret", "utf8"); } catch (error) { return error.code; }`;
      const started = start(t, host, {
        ...specFor(program(body), writable(root)),
        ...protect({ path: "/work/secret", access: "hidden" }),
      });
      await started.printed;
      // As editors save: whatever was mounted on the old name is gone with it.
      writeFileSync(join(root, "secret.new"), "newly made");
      renameSync(join(root, "secret.new"), join(root, "secret"));
      writeFileSync(join(root, "keep/go"), "");
      await started.finished;
      assert.deepEqual(JSON.parse(started.output().split("\n")[1] ?? ""), { value: "ENOENT" });
      assert.equal(readFileSync(join(root, "secret"), "utf8"), "newly made");
    }
  },
);

const REPOSITORY = [".git/hooks/sample", ".git/config", ".git/HEAD", "src/main.c"];
const GIT: readonly Protection[] = [
  { path: "/work/.git/hooks", access: "read-only" },
  { path: "/work/.git/config", access: "read-only" },
];

test(
  "what is read-only can't be written, replaced, nor its folder moved away",
  { skip },
  async (t) => {
    const root = makeTree(t, REPOSITORY);
    const ways = [
      `fs.writeFileSync("/work/.git/hooks/pre-commit", "x")`,
      `fs.writeFileSync("/work/.git/hooks/sample", "x")`,
      `fs.writeFileSync("/work/.git/config", "x")`,
      `fs.truncateSync("/work/.git/config")`,
      `fs.writeFileSync("/work/.git/config.new", ""); fs.renameSync("/work/.git/config.new", "/work/.git/config")`,
      `fs.unlinkSync("/work/.git/config")`,
      `fs.renameSync("/work/.git/hooks", "/work/.git/other")`,
      `fs.unlinkSync("/work/.git/hooks/sample")`,
      `fs.renameSync("/work/.git", "/work/.git2")`,
      `fs.renameSync("/work/src", "/work/.git")`,
      `fs.symlinkSync("/work/src", "/work/.git/hooks")`,
      `fs.linkSync("/work/.git/config", "/work/config")`,
      `fs.linkSync("/work/.git/config", "/work/.git/config2")`,
      `fs.chmodSync("/work/.git/hooks/sample", 0o777)`,
      `fs.writeFileSync("/proc/self/root/work/.git/config", "x")`,
      `fs.writeFileSync("/proc/self/cwd/work/.git/config", "x")`,
    ];
    const changes = { ...writable(root), protect: GIT };
    const refused = await attempts(t, changes, ways);
    for (const way of ways)
      assert.match(String(refused[way]), /^(?:EROFS|EBUSY|EXDEV|EACCES|ENOTEMPTY|EEXIST)$/u, way);
    assert.equal(readFileSync(join(root, ".git/config"), "utf8"), "content of .git/config\n");
    assert.deepEqual(readdirSync(join(root, ".git/hooks")), ["sample"]);
    assert.equal(lstatSync(join(root, ".git/hooks/sample")).mode & 0o111, 0);
    // Everything else of a repository goes on working, in the same folders.
    const usual = await attempts(t, changes, [
      `return fs.readFileSync("/work/.git/config", "utf8")`,
      `fs.writeFileSync("/work/.git/index.lock", "x"); fs.renameSync("/work/.git/index.lock", "/work/.git/index")`,
      `fs.writeFileSync("/work/new", "x")`,
      `fs.renameSync("/work/src", "/work/source")`,
    ]);
    assert.deepEqual(Object.values(usual), ["content of .git/config\n", "done", "done", "done"]);
    // The control.
    const open = await attempts(t, writable(root), ways.slice(0, 3));
    assert.deepEqual(Object.values(open), ["done", "done", "done"]);
  },
);

test(
  "what is read-only and doesn't exist can't be made, unless it is left",
  { skip },
  async (t) => {
    const ways = [
      `fs.writeFileSync("/work/.envrc", "x")`,
      `fs.mkdirSync("/work/.vscode"); fs.writeFileSync("/work/.vscode/tasks.json", "x")`,
      `fs.writeFileSync("/work/src/new", "x")`,
    ];
    const wanted = [{ path: "/work/.envrc" }, { path: "/work/.vscode/tasks.json" }];
    const protection = (absent: "seal" | "leave") => ({
      protect: wanted.map(({ path }) => ({ path, access: "read-only", absent }) as const),
    });
    const root = makeTree(t, ["src/main.c"]);
    const sealed = await attempts(t, { ...writable(root), ...protection("seal") }, ways);
    assert.deepEqual(Object.values(sealed), ["EROFS", "EROFS", "done"]);
    assert.deepEqual(listing(root), ["src", "src/main.c", "src/new"]);
    const left = specFor("0", { ...writable(root), ...protection("leave") });
    const report = compileWall(placeProtections(left), host).mechanisms.find(
      ({ mechanism }) => mechanism === "protection",
    );
    assert.equal(report?.state, "partly");
    assert.match(report.detail, /\/work\/\.envrc, \/work\/\.vscode\/tasks\.json/u);
    const made = await attempts(t, { ...writable(root), ...protection("leave") }, ways);
    assert.deepEqual(Object.values(made), ["done", "done", "done"]);
  },
);

test("links among protected paths: neither the link nor what it leads to", { skip }, async (t) => {
  const root = makeTree(t, [
    "dotfiles/bashrc",
    "dotfiles/other",
    ".bashrc -> dotfiles/bashrc",
    "keys -> store/keys",
    "store/keys/id",
    "store/rest",
  ]);
  const changes = {
    ...writable(root),
    ...protect(
      { path: "/work/.bashrc", access: "read-only" },
      { path: "/work/keys/id", access: "hidden" },
    ),
  };
  const done = await attempts(t, changes, [
    `fs.writeFileSync("/work/.bashrc", "x")`,
    `fs.unlinkSync("/work/.bashrc")`,
    `fs.writeFileSync("/work/dotfiles/bashrc", "x")`,
    `fs.renameSync("/work/dotfiles", "/work/gone")`,
    `return fs.readFileSync("/work/store/keys/id", "utf8")`,
    `return fs.readFileSync("/work/keys/id", "utf8")`,
    `return fs.readFileSync("/work/.bashrc", "utf8")`,
    `fs.writeFileSync("/work/dotfiles/other", "x")`,
    `return fs.readFileSync("/work/store/rest", "utf8")`,
  ]);
  const results = Object.values(done);
  for (const result of results.slice(0, 6))
    assert.match(String(result), /^(?:EROFS|EBUSY|ENOENT|EACCES)$/u);
  assert.deepEqual(results.slice(6), [
    "content of dotfiles/bashrc\n",
    "done",
    "content of store/rest\n",
  ]);
});

test("every mount that shows a protected path keeps it back", { skip }, async (t) => {
  const root = makeTree(t, ["project/.env", "project/main.c"]);
  const project = join(root, "project");
  const mounts: Mount[] = [
    ...BASE_MOUNTS.filter(({ to }) => to !== "/tmp"),
    { kind: "read", from: root, to: "/home/me" },
    { kind: "write", from: project, to: "/work" },
  ];
  const lines = ["/work/.env", "/home/me/project/.env"].map(
    (path) => `return fs.readFileSync("${path}", "utf8")`,
  );
  const done = await attempts(
    t,
    { mounts, ...protect({ path: "/work/.env", access: "hidden" }) },
    lines,
  );
  assert.deepEqual(Object.values(done), ["ENOENT", "ENOENT"]);
  const open = await attempts(t, { mounts }, lines);
  assert.deepEqual(Object.values(open), ["content of project/.env\n", "content of project/.env\n"]);
});

test("a folder granted inside a sealed one is there", { skip }, async (t) => {
  const root = makeTree(t, [".ssh/id", "project/main.c", "other"]);
  const mounts: Mount[] = [
    ...BASE_MOUNTS.filter(({ to }) => to !== "/tmp"),
    { kind: "read", from: root, to: "/home/me" },
    { kind: "write", from: join(root, "project"), to: "/home/me/project" },
  ];
  const done = await attempts(
    t,
    { mounts, ...protect({ path: "/home/me/.ssh", access: "hidden" }) },
    [
      `return fs.readdirSync("/home/me").join()`,
      `fs.writeFileSync("/home/me/project/new", "x")`,
      `fs.writeFileSync("/home/me/other", "x")`,
    ],
  );
  assert.deepEqual(Object.values(done), ["other,project", "done", "EROFS"]);
});

test(
  "a start is refused if something else has come to be at a placed path",
  { skip },
  async (t) => {
    const root = makeTree(t, ["secret", "keep/file", "elsewhere/file"]);
    const spec = placeProtections({
      ...specFor("0", writable(root)),
      ...protect({ path: "/work/secret", access: "hidden" }),
    });
    rmSync(join(root, "keep"), { recursive: true });
    symlinkSync("elsewhere", join(root, "keep"));
    const walled = startWalled(compileWall(spec, host), {
      launcher: LAUNCHER,
      ...SUBJECT,
      stdout: "pipe",
      stderr: "pipe",
      onMessage: () => undefined,
    });
    const exit = await walled.exited;
    assert.equal(exit.code, 126);
    assert.match(exit.refusal ?? "", /^mount: \/work\/keep: .*ESTALE/u);
    // The control: as it is now, it starts.
    const again = start(t, host, {
      ...specFor("0", writable(root)),
      ...protect({ path: "/work/secret", access: "hidden" }),
    });
    assert.equal((await again.finished).code, 0);
  },
);

test("placeProtections() refuses what it can't keep", (t) => {
  const root = makeTree(t, ["config", "folder/file"]);
  const place = (protection: Protection) =>
    placeProtections({ ...specFor("0", writable(root)), protect: [protection] });
  linkSync(join(root, "config"), join(root, "second-name"));
  assert.throws(
    () => place({ path: "/work/config", access: "read-only" }),
    (error) => error instanceof WallError && error.code === "protect" && error.exitCode === 4,
  );
  assert.throws(() => place({ path: "/work/config", access: "hidden" }), { code: "protect" });
  unlinkSync(join(root, "second-name"));
  place({ path: "/work/config", access: "read-only" });
  for (let number = 0; number < 1000; number++) writeFileSync(join(root, `f${number}`), "");
  assert.throws(() => place({ path: "/work/config", access: "hidden" }), { code: "protect" });
  place({ path: "/work/folder/file", access: "hidden" });
});

test("placeProtections() goes round links in a circle once", (t) => {
  const root = makeTree(t, ["a -> b", "b -> a", "self -> ."]);
  const placed = placeProtections({
    ...specFor("0", writable(root)),
    ...protect(
      { path: "/work/a", access: "hidden" },
      { path: "/work/self/self/x", access: "read-only" },
    ),
  });
  assert.ok(placed.mounts.some(({ kind }) => kind === "sealed"));
});

test("placeProtections() leaves alone what no mount shows, and compileWall() what isn't placed", (t) => {
  const root = makeTree(t, ["file"]);
  const spec = {
    ...specFor("0", writable(root)),
    ...protect({ path: "/elsewhere/file", access: "hidden" }),
  };
  assert.deepEqual(placeProtections(spec).mounts, spec.mounts);
  assert.throws(() => compileWall(spec, host), { code: "spec" });
  chmodSync(root, 0o700);
});

test(
  "nothing inside undoes a protection: mounts, namespaces, other processes' views",
  { skip },
  async (t) => {
    const root = makeTree(t, ["secret", ".git/hooks/sample", "keep/file"]);
    const changes = {
      ...writable(root),
      ...protect(
        { path: "/work/secret", access: "hidden" },
        { path: "/work/.git/hooks", access: "read-only" },
      ),
    };
    // Of another process of the wall, of pid 1, and of the launcher's own descriptors.
    const done = await attempts(t, changes, [
      `return fs.readFileSync("/proc/1/root/work/secret", "utf8")`,
      `return fs.readFileSync("/proc/" + process.pid + "/root/work/secret", "utf8")`,
      `return fs.readFileSync("/proc/self/task/" + process.pid + "/root/work/secret", "utf8")`,
      `const fd = fs.openSync("/work", fs.constants.O_DIRECTORY); return fs.readFileSync("/proc/self/fd/" + fd + "/secret", "utf8")`,
      `const fd = fs.openSync("/work/keep", fs.constants.O_DIRECTORY); return fs.readFileSync("/proc/self/fd/" + fd + "/../secret", "utf8")`,
      `return fs.readFileSync("/proc/self/mountinfo", "utf8").includes("${root}/secret") ? "named" : "ENOENT"`,
      `fs.mkdirSync("/work/keep/.git"); fs.renameSync("/work/keep/.git", "/work/.git")`,
      `fs.cpSync("/work/.git/hooks", "/work/keep/hooks", { recursive: true }); fs.writeFileSync("/work/keep/hooks/new", ""); fs.renameSync("/work/keep/hooks", "/work/.git/hooks")`,
      `return String(require("child_process").spawnSync("/usr/bin/umount", ["/work"]).error?.code)`,
    ]);
    for (const [way, result] of Object.entries(done))
      assert.match(
        String(result),
        /^(?:ENOENT|EACCES|EROFS|EXDEV|EBUSY|EPERM|ENOTEMPTY|EEXIST)$/u,
        way,
      );
    assert.deepEqual(readdirSync(join(root, ".git/hooks")), ["sample"]);
  },
);

test(
  "two walls in one folder: what one makes doesn't become the other's secret",
  { skip },
  async (t) => {
    const root = makeTree(t, ["project/main.c", "secret/key"]);
    const project = join(root, "project");
    const mounts: Mount[] = [
      ...BASE_MOUNTS.filter(({ to }) => to !== "/tmp"),
      { kind: "write", from: project, to: project },
      { kind: "read", from: root, to: "/home/me" },
    ];
    const first = { mounts: mounts.slice(0, -1) };
    const link = `fs.symlinkSync("${root}/secret", "${project}/link")`;
    assert.deepEqual(Object.values(await attempts(t, first, [link])), ["done"]);
    // The second one hides something beside the link, so that its folder is made up of what is there.
    const second = {
      mounts,
      ...protect(
        { path: `${project}/.env`, access: "hidden" },
        { path: "/home/me/secret", access: "hidden" },
      ),
    };
    const read = `return fs.readFileSync("${project}/link/key", "utf8")`;
    const through = `return fs.readFileSync("/home/me/project/link/key", "utf8")`;
    const done = await attempts(t, second, [
      read,
      through,
      `return fs.readFileSync("/home/me/secret/key", "utf8")`,
    ]);
    assert.deepEqual(Object.values(done), ["ENOENT", "ENOENT", "ENOENT"]);
  },
);

test("a sealed folder shows no socket of the host", { skip }, async (t) => {
  const root = makeTree(t, ["secret", "keep/file"]);
  const server = createServer((socket) => socket.end("host"));
  server.on("error", () => undefined);
  server.listen(join(root, "socket"));
  await once(server, "listening");
  t.after(() => server.close());
  chmodSync(join(root, "socket"), 0o777);
  const body = `
    const socket = require("net").connect("/work/socket");
    return await new Promise((resolve, reject) => { socket.on("error", reject); socket.on("data", (data) => resolve(data.toString())); });`;
  assert.deepEqual(await inside(t, host, body, writable(root)), { value: "host" });
  assert.deepEqual(
    await inside(t, host, body, {
      ...writable(root),
      ...protect({ path: "/work/secret", access: "hidden" }),
    }),
    { error: "ENOENT" },
  );
});
