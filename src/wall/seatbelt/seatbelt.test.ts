import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { compileWall } from "../compileWall.ts";
import { startWalled } from "../startWalled.ts";
import { careful, careless, MAC, standIn } from "../testing/macHost.ts";
import { WallError } from "../WallError.ts";
import type { WallSpec } from "../WallSpec.ts";
import { compileSeatbeltWall } from "./compileSeatbeltWall.ts";
import { actsFor, judgeProof, keptFromOpen } from "./judgeProof.ts";
import { proveSeatbelt } from "./proveSeatbelt.ts";

const NODE = process.execPath;
interface Place {
  readonly spec: WallSpec;
  /** Outside of the wall. */
  readonly scratch: string;
  readonly folder: string;
}

async function place(t: TestContext): Promise<Place> {
  // The stand-in starts things as whoever runs this, root or not.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "seawall-seatbelt-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [home, scratch, granted] = ["home", "scratch", "granted"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  for (const each of [home, scratch, granted]) mkdirSync(each);
  const server = createServer((socket) => socket.on("error", () => undefined).destroy());
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  const free = createServer();
  await once(free.listen(0, "127.0.0.1"), "listening");
  const own = (free.address() as AddressInfo).port;
  free.close();
  return {
    folder,
    scratch,
    spec: {
      command: [NODE, "-e", "setInterval(() => undefined, 1000)"],
      cwd: home,
      environment: { HOME: home },
      identity: { uid: 501, gid: 20 },
      hostname: "bot",
      mounts: [
        { kind: "proc", to: "/proc" },
        { kind: "read", from: granted, to: granted },
        { kind: "write", from: home, to: home },
      ],
      network: { tcp: [], udp: [], bind: [own], outside: (server.address() as AddressInfo).port },
      execute: [NODE],
      libraries: [],
      protect: [],
      limits: { openFiles: 4096 },
      processes: "any",
      namespaces: "own",
      together: true,
      concessions: ["no-user-namespaces"],
    },
  };
}

test("proveSeatbelt() refuses a wall that holds nothing, and says of each act that it could be done", async (t) => {
  const { spec, scratch, folder } = await place(t);
  const wall = compileWall(spec, MAC);
  const error = await proveSeatbelt(wall, scratch, careless(folder)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof WallError);
  assert.equal(error.code, "unproven");
  assert.equal(error.exitCode, 4);
  for (const act of actsFor(wall.seatbelt?.proof ?? assert.fail(), {
    address: undefined,
    program: "x",
  }).slice(5))
    assert.match(error.message, new RegExp(`it could ${act}`, "u"));
  assert.doesNotMatch(error.message, /it can't|nobody can/u);
  assert.deepEqual(readdirSync(scratch), []);
  assert.deepEqual(readdirSync(spec.cwd), []);
});

test("proveSeatbelt() finds that a wall made of the same rules holds, and what Linux can't do of them", async (t) => {
  const { spec, scratch, folder } = await place(t);
  const error = await proveSeatbelt(compileWall(spec, MAC), scratch, careful(folder)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof WallError);
  assert.match(error.message, /is started: it could answer to other computers \(done\)$/u);
});

test("proveSeatbelt() says so when the wall keeps what it must let through, or nothing can be tried", async (t) => {
  const { spec, scratch, folder } = await place(t);
  const complaint = async (wall: Parameters<typeof proveSeatbelt>[0], standIn: string) =>
    await assert.rejects(proveSeatbelt(wall, scratch, standIn), (error: unknown) => {
      assert.ok(error instanceof WallError);
      said = error.message;
      return error.code === "unproven";
    });
  let said = "";
  const wall = compileWall(spec, MAC);
  await complaint(wall, standIn(folder, "exit 65"));
  assert.match(said, /Node doesn't run behind it/u);
  await complaint(wall, join(folder, "nothing"));
  assert.match(said, /Node doesn't run behind it/u);
  await complaint(wall, standIn(folder, "echo '{}'"));
  assert.match(
    said,
    /it can't read what it is granted \(not tried\).*it could read a file outside \(not tried\)/u,
  );
  const narrow = {
    ...spec,
    mounts: spec.mounts.filter(({ kind }) => kind !== "write"),
    execute: [],
  };
  await complaint(compileWall(narrow, MAC), careless(folder));
  assert.match(said, /nothing that could be tried/u);
  // The very profile, but for the port of the broker, which nothing answers for.
  const { seatbelt } = wall;
  assert.ok(seatbelt?.proof);
  const lost = {
    ...seatbelt,
    profile: seatbelt.profile.replace(/^.allow network-outbound.*$/gmu, ""),
  };
  await complaint({ seatbelt: lost }, careful(folder));
  assert.match(said, /it can't connect to the broker \(E(?:ACCES|AFNOSUPPORT)\)/u);
  await complaint(
    { seatbelt: { ...seatbelt, proof: { ...seatbelt.proof, writes: "/nonexistent" } } },
    careless(folder),
  );
  assert.match(said, /nobody can write its own folder here, wall or not \(ENOENT\)/u);
  assert.deepEqual(readdirSync(scratch), []);
});

test("judgeProof() takes no outcome for granted", () => {
  const acts = actsFor(
    { reads: "", writes: "", connects: 1, binds: 2, executes: [] },
    { address: "10.0.0.1", program: "/bin/true" },
  );
  const kept = keptFromOpen();
  const each = (acts_: readonly string[], outcome: string) =>
    Object.fromEntries(acts_.map((act) => [act, outcome]));
  const open = each(
    acts.filter((act) => !kept.has(act)),
    "done",
  );
  const allowed = acts.slice(0, 5);
  const walled = { ...each(acts, "EPERM"), ...each(allowed, "done") };
  assert.deepEqual(judgeProof({ acts, open, walled }), []);
  for (const act of acts) {
    const { [act]: _, ...less } = walled;
    assert.equal(judgeProof({ acts, open, walled: less }).length, 1, act);
    const wrong = allowed.includes(act) ? "EPERM" : "done";
    assert.equal(judgeProof({ acts, open, walled: { ...walled, [act]: wrong } }).length, 1, act);
    if (kept.has(act)) continue;
    for (const outcome of ["EPERM", "EACCES"])
      assert.match(
        judgeProof({ acts, open: { ...open, [act]: outcome }, walled }).join(),
        /^nobody can/u,
        act,
      );
  }
  // That something failed for another reason is no refusal.
  for (const outcome of ["ENOENT", "ETIMEDOUT", "ECONNREFUSED", "status 1", "EXDEV", ""])
    assert.notDeepEqual(
      judgeProof({ acts, open, walled: { ...walled, "read a file outside": outcome } }),
      [],
    );
});

test("compileSeatbeltWall() wants namespaces conceded, and nothing that only a network of its own has", async (t) => {
  const { spec } = await place(t);
  assert.throws(() => compileSeatbeltWall({ ...spec, concessions: [] }), {
    code: "user-namespaces",
    exitCode: 4,
  });
  for (const network of [{ tcp: [443] }, { udp: [53] }, { dial: 1 }])
    assert.throws(
      () => compileSeatbeltWall({ ...spec, network: { ...spec.network, ...network } }),
      {
        code: "user-namespaces",
      },
    );
  const report = compileSeatbeltWall({ ...spec, limits: { memory: 1e9, processes: 5 } }).mechanisms;
  assert.deepEqual(report.find(({ mechanism }) => mechanism === "limits")?.state, "missing");
});

test("compileSeatbeltWall() names where each path leads to", async (t) => {
  const { spec } = await place(t);
  const { seatbelt } = compileSeatbeltWall(spec, (path) => `/private${path}`);
  const { profile = "", proof } = seatbelt ?? {};
  assert.ok(profile.includes(`(allow file-write* (subpath "/private${spec.cwd}"))`));
  assert.ok(profile.includes(`(allow process-exec (literal "/private${NODE}"))`));
  assert.ok(!profile.includes(`"${spec.cwd}"`));
  assert.equal(proof?.writes, `/private${spec.cwd}`);
});

test("a walled process is one that the supervisor ends, with all of its group, and without dumps", async (t) => {
  const { spec, folder } = await place(t);
  const script = `
    const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const limit = require("child_process").execFileSync("/bin/sh", ["-c", "ulimit -c; ulimit -n"], { encoding: "utf8" });
    console.log(JSON.stringify([child.pid, limit.trim().split("\\n")]));
    setInterval(() => {}, 1000);`;
  const wall = compileWall({ ...spec, command: [NODE, "-e", script] }, MAC);
  const running = startWalled(wall, {
    launcher: careless(folder),
    stdout: "pipe",
    stderr: "pipe",
    onMessage: () => undefined,
  });
  const pid = await running.inner();
  assert.equal(pid, running.pid);
  const [line] = (await once(running.stdout ?? assert.fail(), "data")) as [Buffer];
  const [child, limits] = JSON.parse(line.toString()) as [number, string[]];
  assert.deepEqual(limits, ["0", "4096"]);
  process.kill(child, 0);
  assert.ok(running.kill("SIGTERM"));
  assert.deepEqual(await running.exited, { code: null, signal: "SIGTERM" });
  await gone(child);
});

test("what is walled ends with whoever started it, killed or not", async (t) => {
  const { spec, folder } = await place(t);
  const starter = `
    const { startWalled } = await import(${JSON.stringify(new URL("../startWalled.ts", import.meta.url).href)});
    const wall = JSON.parse(process.argv[1]);
    const running = startWalled(wall, { launcher: process.argv[2], stdout: "pipe", stderr: "pipe", onMessage: () => undefined });
    console.log(await running.inner());
    setInterval(() => undefined, 1000);`;
  const { seatbelt } = compileWall(spec, MAC);
  const args = [
    "--input-type=module",
    "-e",
    starter,
    JSON.stringify({ seatbelt }),
    careless(folder),
  ];
  const parent = spawn(NODE, args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => parent.kill("SIGKILL"));
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  process.kill(pid, 0);
  parent.kill("SIGKILL");
  await gone(pid);
});

/** Ends once the kernel has ended it. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      if (/^\) [ZX]/u.test(stat.slice(stat.lastIndexOf(")")))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
