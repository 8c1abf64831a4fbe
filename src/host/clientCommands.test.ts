import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { RawHandle } from "../broker/listeners/Listeners.ts";
import { catalogueBots } from "../broker/testing/catalogueBots.ts";
import { TestBroker } from "../broker/testing/TestBroker.ts";
import {
  BASE_MOUNTS,
  lacking,
  probeSubject,
  program,
  specFor,
  start,
  SUBJECT,
  temporaryFolder,
} from "../wall/testing/harness.ts";
import type { Mount, WallSpec } from "../wall/index.ts";
import { COMMAND_SOCKET } from "./inside.ts";

const CLIENT = fileURLToPath(new URL("../../build/seawall-client", import.meta.url));
const host = await probeSubject();
const skip = lacking(host);
const NAMES = ["bridge", "google-api", "unknown"];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The client in a wall of the launcher's making, and the broker outside of it. */
describe("the client of the commands", { skip }, () => {
  let t: TestBroker;

  before(async () => {
    t = await TestBroker.start();
    t.secrets.set("g", "ya29.a-token-that-is-real");
    const api = await t.upstream(
      [
        "www.googleapis.com",
        "gmail.googleapis.com",
        "sheets.googleapis.com",
        "tasks.googleapis.com",
      ],
      (request, response) => {
        if (request.headers.authorization !== "Bearer ya29.a-token-that-is-real")
          response.writeHead(401).end();
        else if (request.url?.includes("missing") === true)
          response.writeHead(404).end("nothing here");
        else if (request.url?.includes("alt=media") === true)
          response.end(Buffer.alloc(3_000_000, "b"));
        else request.pipe(response.writeHead(200));
      },
    );
    const { grants } = catalogueBots(
      {
        secrets: { g: { vault: "g" } },
        bots: {
          basecamp: {
            bridge: { to: ["erdos"] },
            "google-api": { secret: "g", allow: ["...", "POST tasks.googleapis.com/**"] },
          },
          erdos: { bridge: {} },
        },
      },
      { host: "127.0.0.1", port: api.port, ca: t.upstreamAuthority.ca },
    );
    for (const [name, each] of grants) await t.bot(name, each);
    assert.deepEqual(await t.configure(), { type: "configured" });
  });
  after(() => t.end());

  const clients = NAMES.map((name): Mount => ({
    kind: "read",
    from: CLIENT,
    to: `/usr/bin/${name}`,
  }));

  function wall(command: readonly [string, ...string[]], more: Partial<WallSpec> = {}): WallSpec {
    return specFor("", {
      command,
      mounts: [
        ...clients,
        { kind: "proc", to: "/proc" },
        { kind: "devices", to: "/dev" },
        { kind: "memory", to: COMMAND_SOCKET.folder, size: 4096 },
      ],
      libraries: [],
      execute: NAMES.map((name) => `/usr/bin/${name}`),
      network: { tcp: [], udp: [], bind: [], socket: COMMAND_SOCKET },
      ...more,
    });
  }

  async function run(context: TestContext, spec: WallSpec, bot = "basecamp"): Promise<Ended> {
    const started = start(context, host, spec, (message, handle) => {
      const said = message as { type?: string; protocol?: string };
      if (said.type !== "listener" || said.protocol !== "unix") return;
      const uid = SUBJECT.uid ?? process.getuid?.() ?? -1;
      void t.broker.receive({ type: "listener", bot, protocol: "unix", uid }, handle as RawHandle);
    });
    const { code } = await started.finished;
    return { code, out: started.output(), err: started.errors() };
  }

  test("is a command by the name it is called, and knows nothing but the broker's answer", async (context) => {
    const end = await run(context, wall(["/usr/bin/bridge", "status"]));
    assert.equal(end.err, "");
    assert.equal(end.code, 0);
    assert.deepEqual(JSON.parse(end.out), { bot: "basecamp", mayWriteTo: ["erdos"], waiting: 0 });
    const other = await run(context, wall(["/usr/bin/unknown", "status"]));
    assert.equal(other.code, 3);
    assert.match(other.err, /not-granted/);
  });

  test("says by its socket whose it is, whatever the arguments say", async (context) => {
    const end = await run(context, wall(["/usr/bin/bridge", "status", "--help"]), "erdos");
    assert.equal(end.code, 0);
    const mine = await run(context, wall(["/usr/bin/bridge", "status"]), "erdos");
    assert.deepEqual(JSON.parse(mine.out), { bot: "erdos", mayWriteTo: [], waiting: 0 });
  });

  test("hands every byte of an argument over", async (context) => {
    const text = 'quote " backslash \\ line\nend tab\t del\x7f ünïcode 🌊 {"a":1}';
    const end = await run(context, wall(["/usr/bin/bridge", "send", "to=erdos", `text=${text}`]));
    assert.equal(end.err, "");
    const got = await run(context, wall(["/usr/bin/bridge", "receive"]), "erdos");
    const { messages } = JSON.parse(got.out) as { messages: { from: string; text: string }[] };
    assert.deepEqual(
      messages.map(({ from, text: received }) => [from, received]),
      [["basecamp", text]],
    );
  });

  test("puts an answer into a new file, and leaves none behind when it fails", async (context) => {
    const folder = temporaryFolder(context);
    const work: Partial<WallSpec> = {
      cwd: "/work",
      mounts: [
        ...clients,
        { kind: "proc", to: "/proc" },
        { kind: "devices", to: "/dev" },
        { kind: "memory", to: COMMAND_SOCKET.folder, size: 4096 },
        { kind: "write", from: folder, to: "/work" },
      ],
    };
    const download = (id: string, ...more: string[]): WallSpec =>
      wall(["/usr/bin/google-api", "drive.download", `fileId=${id}`, ...more], work);
    const end = await run(context, download("a", "--output", "book"));
    assert.equal(end.err, "");
    assert.equal(readFileSync(join(folder, "book"), "latin1"), "b".repeat(3_000_000));
    const again = await run(context, download("a", "--output", "book"));
    assert.equal(again.code, 2);
    assert.match(again.err, /there already/);
    const missing = await run(context, download("missing", "--output", "other"));
    assert.equal(missing.code, 1);
    assert.throws(() => readFileSync(join(folder, "other")), { code: "ENOENT" });
    const twice = await run(context, download("a", "--output", "x", "--output", "book"));
    assert.equal(twice.code, 2);
    assert.equal(readFileSync(join(folder, "book")).length, 3_000_000);
  });

  test("sends a file, and what is longer than any buffer", async (context) => {
    const folder = temporaryFolder(context);
    const body = JSON.stringify({ text: "x".repeat(2_000_000) });
    writeFileSync(join(folder, "body.json"), body, { mode: 0o644 });
    const work: Partial<WallSpec> = {
      mounts: [
        ...clients,
        { kind: "proc", to: "/proc" },
        { kind: "devices", to: "/dev" },
        { kind: "memory", to: COMMAND_SOCKET.folder, size: 4096 },
        { kind: "read", from: join(folder, "body.json"), to: "/body.json" },
      ],
    };
    // tasks' host is not the first, so the command reaches it by an operation; `call` goes to the first.
    const end = await run(
      context,
      wall(
        ["/usr/bin/google-api", "call", "POST", "/calendar/v3/freeBusy", "--input", "/body.json"],
        work,
      ),
    );
    assert.equal(end.err, "");
    assert.equal(end.out, body);
    const none = await run(
      context,
      wall(["/usr/bin/google-api", "calendar.list", "--input", "/nothing"], work),
    );
    assert.equal(none.code, 2);
  });

  test("reaches nobody where no socket is, and says so", async (context) => {
    const end = await run(
      context,
      wall(["/usr/bin/bridge", "status"], { network: { tcp: [], udp: [], bind: [] } }),
    );
    assert.equal(end.code, 5);
    assert.match(end.err, /no-broker/);
  });

  /** Node inside, beside the client. */
  function withNode(body: string, socket: boolean): WallSpec {
    return specFor(program(body), {
      mounts: [
        ...BASE_MOUNTS,
        { kind: "read", from: CLIENT, to: "/opt/bridge" },
        { kind: "memory", to: COMMAND_SOCKET.folder, size: 1 << 20 },
      ],
      execute: ["/opt/bridge"],
      network: { tcp: [], udp: [], bind: [], ...(socket ? { socket: COMMAND_SOCKET } : {}) },
    });
  }
  const RUN = `const run = () => new Promise((done) => require("child_process").execFile("/opt/bridge", ["status"], (error, out, err) => done([error?.code ?? 0, out, err])));`;

  test("is not deceived by a process that puts itself in the broker's place", async (context) => {
    const impostor = `${RUN}
      const server = require("net").createServer((s) => s.on("error", () => {}).end("x\\0\\0\\0\\1\\0"));
      await new Promise((done) => server.listen("/run/broker/socket", done));
      const [code, , err] = await run();
      server.close();
      return [code, JSON.parse(err).error.code];`;
    const end = await run(context, withNode(impostor, false));
    assert.notEqual(end.out, "", end.err);
    assert.deepEqual(JSON.parse(end.out), { value: [5, "not-the-broker"] });
    // The control: with the broker behind it the same program is answered.
    const real = await run(context, withNode(`${RUN} return (await run())[0];`, true));
    assert.deepEqual(JSON.parse(real.out), { value: 0 });
  });

  test("finds its socket where nobody inside can take it away or put another", async (context) => {
    const attempts = `const fs = require("fs");
      const tried = (act) => { try { act(); return "done"; } catch (error) { return error.code; } };
      return [
        tried(() => fs.unlinkSync("/run/broker/socket")),
        tried(() => fs.renameSync("/run/broker/socket", "/run/broker/other")),
        tried(() => fs.writeFileSync("/run/broker/file", "")),
        tried(() => fs.chmodSync("/run/broker/socket", 0o777)),
      ];`;
    const end = await run(context, withNode(attempts, true));
    const { value } = JSON.parse(end.out) as { value: string[] };
    assert.ok(
      value.every((each) => each === "EROFS" || each === "EACCES"),
      String(value),
    );
    const control = await run(
      context,
      withNode(`require("fs").writeFileSync("/run/broker/file", ""); return "done";`, false),
    );
    assert.deepEqual(JSON.parse(control.out), { value: "done" });
  });
});
