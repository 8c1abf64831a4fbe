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
  statSync,
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
    { kind: "write", from: root, to: "/tree" },
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
  const root = makeTree(t, [...SECRET, "keep/link -> ../secret", "keep/absolute -> /tree/secret"]);
  const before = listing(root);
  const ways = [
    `return fs.readFileSync("/tree/secret", "utf8")`,
    `return fs.readFileSync("/proc/self/root/tree/secret", "utf8")`,
    `return fs.readFileSync("/tree/keep/../secret", "utf8")`,
    `return fs.readFileSync("/tree/keep/link", "utf8")`,
    `return fs.readFileSync("/tree/keep/absolute", "utf8")`,
    `fs.linkSync("/tree/secret", "/tree/keep/hard")`,
    `fs.renameSync("/tree/secret", "/tree/keep/moved")`,
    `fs.writeFileSync("/tree/secret", "x")`,
    `fs.mkdirSync("/tree/secret")`,
    `fs.symlinkSync("/etc", "/tree/secret")`,
    `fs.renameSync("/tree/keep/file", "/tree/secret")`,
    `process.chdir("/tree"); return fs.readFileSync("secret", "utf8")`,
    `return fs.readdirSync("/tree").includes("secret") ? "seen" : "unseen"`,
  ];
  const changes = { ...writable(root), ...protect({ path: "/tree/secret", access: "hidden" }) };
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
  const changes = { ...writable(root), ...protect({ path: "/tree/secret", access: "hidden" }) };
  const done = await attempts(t, changes, [
    `return fs.readFileSync("/tree/link", "utf8")`,
    `fs.writeFileSync("/tree/other", "written")`,
    `fs.writeFileSync("/tree/keep/new", "written")`,
    `fs.renameSync("/tree/keep/new", "/tree/keep/newer")`,
    `fs.writeFileSync("/tree/new", "written")`,
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
        while (!fs.existsSync("/tree/keep/go")) await new Promise((resolve) => setImmediate(resolve));
        try { return fs.readFileSync("/tree/secret", "utf8"); } catch (error) { return error.code; }`;
      const started = start(t, host, {
        ...specFor(program(body), writable(root)),
        ...protect({ path: "/tree/secret", access: "hidden" }),
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
  { path: "/tree/.git/hooks", access: "read-only" },
  { path: "/tree/.git/config", access: "read-only" },
];

test(
  "what is read-only can't be written, replaced, nor its folder moved away",
  { skip },
  async (t) => {
    const root = makeTree(t, REPOSITORY);
    const ways = [
      `fs.writeFileSync("/tree/.git/hooks/pre-commit", "x")`,
      `fs.writeFileSync("/tree/.git/hooks/sample", "x")`,
      `fs.writeFileSync("/tree/.git/config", "x")`,
      `fs.truncateSync("/tree/.git/config")`,
      `fs.writeFileSync("/tree/.git/config.new", ""); fs.renameSync("/tree/.git/config.new", "/tree/.git/config")`,
      `fs.unlinkSync("/tree/.git/config")`,
      `fs.renameSync("/tree/.git/hooks", "/tree/.git/other")`,
      `fs.unlinkSync("/tree/.git/hooks/sample")`,
      `fs.renameSync("/tree/.git", "/tree/.git2")`,
      `fs.renameSync("/tree/src", "/tree/.git")`,
      `fs.symlinkSync("/tree/src", "/tree/.git/hooks")`,
      `fs.linkSync("/tree/.git/config", "/tree/config")`,
      `fs.linkSync("/tree/.git/config", "/tree/.git/config2")`,
      `fs.chmodSync("/tree/.git/hooks/sample", 0o777)`,
      `fs.writeFileSync("/proc/self/root/tree/.git/config", "x")`,
      `fs.writeFileSync("/proc/self/cwd/tree/.git/config", "x")`,
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
      `return fs.readFileSync("/tree/.git/config", "utf8")`,
      `fs.writeFileSync("/tree/.git/index.lock", "x"); fs.renameSync("/tree/.git/index.lock", "/tree/.git/index")`,
      `fs.writeFileSync("/tree/new", "x")`,
      `fs.renameSync("/tree/src", "/tree/source")`,
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
      `fs.writeFileSync("/tree/.envrc", "x")`,
      `fs.mkdirSync("/tree/.vscode"); fs.writeFileSync("/tree/.vscode/tasks.json", "x")`,
      `fs.writeFileSync("/tree/src/new", "x")`,
    ];
    const wanted = [{ path: "/tree/.envrc" }, { path: "/tree/.vscode/tasks.json" }];
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
    assert.match(report.detail, /\/tree\/\.envrc, \/tree\/\.vscode\/tasks\.json/u);
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
      { path: "/tree/.bashrc", access: "read-only" },
      { path: "/tree/keys/id", access: "hidden" },
    ),
  };
  const done = await attempts(t, changes, [
    `fs.writeFileSync("/tree/.bashrc", "x")`,
    `fs.unlinkSync("/tree/.bashrc")`,
    `fs.writeFileSync("/tree/dotfiles/bashrc", "x")`,
    `fs.renameSync("/tree/dotfiles", "/tree/gone")`,
    `return fs.readFileSync("/tree/store/keys/id", "utf8")`,
    `return fs.readFileSync("/tree/keys/id", "utf8")`,
    `return fs.readFileSync("/tree/.bashrc", "utf8")`,
    `fs.writeFileSync("/tree/dotfiles/other", "x")`,
    `return fs.readFileSync("/tree/store/rest", "utf8")`,
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
    { kind: "write", from: project, to: "/tree" },
  ];
  const lines = ["/tree/.env", "/home/me/project/.env"].map(
    (path) => `return fs.readFileSync("${path}", "utf8")`,
  );
  const done = await attempts(
    t,
    { mounts, ...protect({ path: "/tree/.env", access: "hidden" }) },
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
  "a start is refused if something else has come to be where something was granted",
  { skip },
  async (t) => {
    const root = makeTree(t, ["granted/file", "keys/file"]);
    const folder = join(root, "granted");
    const { dev, ino } = statSync(folder, { bigint: true });
    const seen = { device: String(dev), inode: String(ino) };
    const mounts: Mount[] = [...BASE_MOUNTS, { kind: "write", from: folder, to: "/tree", seen }];
    const attempt = async () => {
      const walled = startWalled(compileWall(specFor("0", { mounts }), host), {
        launcher: LAUNCHER,
        ...SUBJECT,
        stdout: "pipe",
        stderr: "pipe",
        onMessage: () => undefined,
      });
      return await walled.exited;
    };
    assert.equal((await attempt()).code, 0);
    renameSync(folder, join(root, "aside"));
    symlinkSync("keys", folder);
    const exit = await attempt();
    assert.equal(exit.code, 126);
    assert.match(exit.refusal ?? "", /\/tree: .*ESTALE/u);
    const kept = protect({ path: "/tree/x", access: "hidden" });
    assert.throws(() => placeProtections({ ...specFor("0", { mounts }), ...kept }), {
      code: "protect",
    });
  },
);

test(
  "a start is refused if something else has come to be at a placed path",
  { skip },
  async (t) => {
    const root = makeTree(t, ["secret", "keep/file", "elsewhere/file"]);
    const spec = placeProtections({
      ...specFor("0", writable(root)),
      ...protect({ path: "/tree/secret", access: "hidden" }),
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
    assert.match(exit.refusal ?? "", /^mount: \/tree\/keep: .*ESTALE/u);
    // The control: as it is now, it starts.
    const again = start(t, host, {
      ...specFor("0", writable(root)),
      ...protect({ path: "/tree/secret", access: "hidden" }),
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
    () => place({ path: "/tree/config", access: "read-only" }),
    (error) => error instanceof WallError && error.code === "protect" && error.exitCode === 4,
  );
  assert.throws(() => place({ path: "/tree/config", access: "hidden" }), { code: "protect" });
  unlinkSync(join(root, "second-name"));
  place({ path: "/tree/config", access: "read-only" });
  for (let number = 0; number < 1000; number++) writeFileSync(join(root, `f${number}`), "");
  assert.throws(() => place({ path: "/tree/config", access: "hidden" }), { code: "protect" });
  place({ path: "/tree/folder/file", access: "hidden" });
});

test("placeProtections() goes round links in a circle once", (t) => {
  const root = makeTree(t, ["a -> b", "b -> a", "self -> ."]);
  const placed = placeProtections({
    ...specFor("0", writable(root)),
    ...protect(
      { path: "/tree/a", access: "hidden" },
      { path: "/tree/self/self/x", access: "read-only" },
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
        { path: "/tree/secret", access: "hidden" },
        { path: "/tree/.git/hooks", access: "read-only" },
      ),
    };
    // Of another process of the wall, of pid 1, and of the launcher's own descriptors.
    const done = await attempts(t, changes, [
      `return fs.readFileSync("/proc/1/root/tree/secret", "utf8")`,
      `return fs.readFileSync("/proc/" + process.pid + "/root/tree/secret", "utf8")`,
      `return fs.readFileSync("/proc/self/task/" + process.pid + "/root/tree/secret", "utf8")`,
      `const fd = fs.openSync("/tree", fs.constants.O_DIRECTORY); return fs.readFileSync("/proc/self/fd/" + fd + "/secret", "utf8")`,
      `const fd = fs.openSync("/tree/keep", fs.constants.O_DIRECTORY); return fs.readFileSync("/proc/self/fd/" + fd + "/../secret", "utf8")`,
      `return fs.readFileSync("/proc/self/mountinfo", "utf8").includes("${root}/secret") ? "named" : "ENOENT"`,
      `fs.mkdirSync("/tree/keep/.git"); fs.renameSync("/tree/keep/.git", "/tree/.git")`,
      `fs.cpSync("/tree/.git/hooks", "/tree/keep/hooks", { recursive: true }); fs.writeFileSync("/tree/keep/hooks/new", ""); fs.renameSync("/tree/keep/hooks", "/tree/.git/hooks")`,
      `return String(require("child_process").spawnSync("/usr/bin/umount", ["/tree"]).error?.code)`,
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
    const socket = require("net").connect("/tree/socket");
    return await new Promise((resolve, reject) => { socket.on("error", reject); socket.on("data", (data) => resolve(data.toString())); });`;
  assert.deepEqual(await inside(t, host, body, writable(root)), { value: "host" });
  assert.deepEqual(
    await inside(t, host, body, {
      ...writable(root),
      ...protect({ path: "/tree/secret", access: "hidden" }),
    }),
    { error: "ENOENT" },
  );
});
