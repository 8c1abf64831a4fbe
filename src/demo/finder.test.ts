import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { compileNeedles } from "./compileNeedles.ts";
import { findValues, type FinderReport } from "./finder.ts";
import { processesInside } from "./processesInside.ts";
import { Search } from "./Search.ts";
import { searchMemory } from "./searchMemory.ts";

const run = promisify(execFile);
const works = (command: string, ...args: string[]): Promise<boolean> =>
  run(command, args).then(
    () => true,
    () => false,
  );
const skip = (await works(
  "bwrap",
  "--unshare-user",
  "--unshare-pid",
  "--ro-bind",
  "/",
  "/",
  "true",
))
  ? false
  : "bubblewrap is missing or may not make namespaces here";
const skipPython = (await works("python3", "-c", "import ctypes, mmap"))
  ? false
  : "python3 is missing";

const newValue = (): string => `sk-ant-${randomBytes(24).toString("hex")}`;

interface Box {
  /** A folder that is /home/bot inside. */
  readonly home: string;
  /**
   * Runs a script in Node inside, alone with what Node needs. It gets `secret` on standard input, from
   * where it is nowhere but in the child's memory, and runs on until the test ends.
   */
  readonly start: (options: {
    script?: string;
    secret?: string;
    env?: Record<string, string>;
    args?: string[];
  }) => Promise<number[]>;
}

function box(t: TestContext): Box {
  const home = mkdtempSync(join(tmpdir(), "seawall-finder-"));
  const children: ChildProcess[] = [];
  t.after(async () => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }),
    );
    rmSync(home, { recursive: true, force: true });
  });
  return {
    home,
    start: async ({ script = "", secret = "-", env = {}, args = [] }) => {
      const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
      const binds = [...libraries.matchAll(/(\/\S+) \(0x/g)].flatMap(([, path = ""]) => [
        "--ro-bind",
        path,
        path,
      ]);
      const code = `
        const fs = require("node:fs");
        const secret = fs.readFileSync(0, "latin1").trim();
        ${script}
        fs.writeSync(1, "ready");
        setInterval(() => globalThis.kept, 1e6);`;
      const child = spawn(
        "bwrap",
        [
          "--unshare-user",
          "--unshare-pid",
          "--die-with-parent",
          ...binds,
          "--ro-bind",
          process.execPath,
          "/node",
        ]
          .concat([
            "--bind",
            home,
            "/home/bot",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--chdir",
            "/home/bot",
          ])
          .concat(["/node", "-e", code, ...args]),
        { stdio: ["pipe", "pipe", "inherit"], env },
      );
      children.push(child);
      child.stdin.end(secret);
      const [ready] = (await Promise.race([
        once(child.stdout, "data"),
        once(child, "exit"),
      ])) as unknown[];
      assert(Buffer.isBuffer(ready), "the child did not start");
      const pid = child.pid ?? 0;
      const first = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
      return processesInside(first);
    },
  };
}

async function find(pids: number[], ...values: string[]): Promise<FinderReport> {
  const report = await findValues({
    pids,
    values: values.map((value, index) => ({ name: `v${index}`, value })),
  });
  for (const value of values) assert(!JSON.stringify(report).includes(value));
  return report;
}

const places = (report: FinderReport): string[] =>
  [...new Set(report.found.map(({ where }) => where.replace(/pid \d+/, "pid N")))].toSorted();

test(
  "findValues() finds nothing where nothing was planted, and says how much that was",
  { skip },
  async (t) => {
    const pids = await box(t).start({ secret: newValue(), script: "globalThis.kept = secret;" });
    const report = await find(pids, newValue(), newValue());
    assert.deepEqual(report.found, []);
    assert.deepEqual(report.unread, []);
    // bubblewrap's own first process, and the Node.
    assert.equal(report.processes, 2);
    assert.equal(report.environments, 2);
    assert(report.bytesOfMemory > 20e6 && report.files > 2, JSON.stringify(report));
  },
);

test("findValues() finds a value kept in memory only", { skip }, async (t) => {
  const secret = newValue();
  const script = "globalThis.kept = 'a header with ' + secret + ' in it';";
  const report = await find(await box(t).start({ secret, script }), secret);
  assert.deepEqual(places(report), ["memory of pid N (node)"]);
});

test("findValues() finds a value that memory holds encoded only", { skip }, async (t) => {
  const secret = newValue();
  const encode = {
    base64: "Buffer.from('user:' + secret).toString('base64')",
    hex: "Buffer.from(secret).toString('hex')",
    reversed: "[...secret].reverse().join('')",
    "UTF-16": "secret + '\\u20ac'",
  };
  for (const [spelling, expression] of Object.entries(encode)) {
    // The plain value is there as well; what counts is that the spelling is seen.
    const script = `globalThis.kept = Buffer.from(${expression}, "${spelling === "UTF-16" ? "utf16le" : "latin1"}");`;
    const report = await find(await box(t).start({ secret, script }), secret);
    assert(
      report.found.some((found) => found.spelling === spelling),
      spelling,
    );
  }
});

test("findValues() finds a value in the environment", { skip }, async (t) => {
  const secret = newValue();
  const pids = await box(t).start({ env: { API_KEY: secret } });
  const report = await find(pids, newValue(), secret);
  assert(places(report).includes("environment of pid N (node)"), places(report).join());
  assert(report.found.every((found) => found.name === "v1"));
});

test("findValues() finds a value among the arguments", { skip }, async (t) => {
  const secret = newValue();
  const report = await find(await box(t).start({ args: [`key=${secret}`] }), secret);
  assert(places(report).includes("arguments of pid N (node)"), places(report).join());
});

test(
  "findValues() finds a value in a file, over the border of two reads too",
  { skip },
  async (t) => {
    const { home, start } = box(t);
    const [secret, border] = [newValue(), newValue()];
    mkdirSync(join(home, "deep", "er"), { recursive: true });
    writeFileSync(join(home, "deep", "er", "notes.txt"), `so: ${secret}`);
    const big = Buffer.alloc(9 * 2 ** 20);
    big.write(border, 8 * 2 ** 20 - 20);
    writeFileSync(join(home, "big"), big);
    const report = await find(await start({}), secret, border);
    assert.deepEqual(places(report), ["file /home/bot/big", "file /home/bot/deep/er/notes.txt"]);
  },
);

test(
  "findValues() finds a value in the name of a file or the target of a link",
  { skip },
  async (t) => {
    const { home, start } = box(t);
    const [name, target] = [newValue(), newValue()];
    writeFileSync(join(home, name), "");
    symlinkSync(target, join(home, "link"));
    const report = await find(await start({}), name, target);
    assert.deepEqual(places(report), ["name of /home/bot/[value]", "target of /home/bot/link"]);
  },
);

test(
  "findValues() finds a value in a file that was deleted and is still open",
  { skip },
  async (t) => {
    const secret = newValue();
    const script = `
    globalThis.kept = fs.openSync("gone", "w+");
    fs.writeSync(kept, secret);
    fs.unlinkSync("gone");`;
    const report = await find(await box(t).start({ secret, script }), secret);
    assert(
      places(report).some((place) => /^open file \d+ of pid N \(node\)$/.test(place)),
      places(report).join(),
    );
  },
);

test(
  "findValues() looks into /dev/shm and a hidden folder, and follows no link out",
  { skip },
  async (t) => {
    const secret = newValue();
    const outside = mkdtempSync(join(tmpdir(), "seawall-outside-"));
    t.after(() => rmSync(outside, { recursive: true, force: true }));
    writeFileSync(join(outside, "file"), secret);
    const { home, start } = box(t);
    symlinkSync(outside, join(home, "out"));
    assert.deepEqual((await find(await start({}), secret)).found, []);
    const script = `
    fs.writeFileSync("/dev/shm/x", secret);
    fs.mkdirSync(".hidden");
    fs.writeFileSync(".hidden/y", secret);`;
    const found = places(await find(await start({ secret, script }), secret));
    assert(found.includes("file /dev/shm/x"), found.join());
    assert(found.includes("file /home/bot/.hidden/y"), found.join());
  },
);

test("findValues() does not hang on a FIFO, a socket or an endless file", { skip }, async (t) => {
  const { home, start } = box(t);
  execFileSync("mkfifo", [join(home, "fifo")]);
  const script = `require("node:net").createServer().listen("/home/bot/socket");
    fs.ftruncateSync(fs.openSync("sparse", "w"), 2 ** 40);`;
  const report = await find(await start({ script }), newValue());
  assert.deepEqual(report.unread, ["file /home/bot/sparse, beyond its first 4 GiB: too large"]);
});

test("findValues() names itself as not searched, and passes over who has gone", async () => {
  const ended = spawn("true");
  await once(ended, "exit");
  const report = await find([process.pid, ended.pid ?? 0], newValue());
  assert.equal(report.processes, 0);
  assert.deepEqual(report.unread, [`process ${process.pid}: it is the one that searches`]);
});

test(
  "findValues() tells what an ordinary user may not read",
  { skip: process.geteuid?.() === 0 ? "root may read everything" : false },
  async () => {
    const report = await find([1], newValue());
    assert(report.unread.some((line) => /^memory of pid 1 .*permission denied/.test(line)));
    assert.equal(report.environments, 0);
  },
);

test(
  "searchMemory() reads what a process has made unreadable for itself",
  { skip: skipPython },
  async (t) => {
    const secret = newValue();
    const code = `
import ctypes, mmap, sys
pages = mmap.mmap(-1, 8192)
hidden = bytes(b ^ 1 for b in sys.stdin.buffer.read())
for at, byte in enumerate(hidden): pages[4080 + at] = byte ^ 1
address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), 8192, 0) == 0
print(hex(address), flush=True)
mmap.mmap(-1, 1 << 36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=0)
while True: sys.stdin.buffer.raw.fileno(); __import__("signal").pause()`;
    const child = spawn("python3", ["-c", code], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    child.stdin.end(secret);
    await once(child.stdout, "data");
    const search = new Search(compileNeedles([{ name: "v", value: secret }]));
    await searchMemory(search, child.pid ?? 0, "it");
    assert(search.found.length > 0);
    assert.deepEqual(search.unread, []);
  },
);
