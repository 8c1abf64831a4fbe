import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { RemoteBridge } from "./RemoteBridge.ts";

const BOTS = ["basecamp", "erdos", "hermit"] as const;
type Bot = (typeof BOTS)[number];

/** Holds the sockets as systemd does, and starts the program with them for each line it reads. */
const KEEPER = `
while read -r config names count; do
  LISTEN_FDS=$count LISTEN_FDNAMES=$names SEAWALL_BRIDGE_CONFIG=$config \
    sh -c 'echo "pid $$"; LISTEN_PID=$$ exec "$0" "$1" >&2' "$0" "$1"
  echo "end $?"
done`;

class Program {
  readonly folder = mkdtempSync(join(tmpdir(), "seawall-bridge-"));
  readonly config = join(this.folder, "rules.json");
  #keeper: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;
  #pid: number | undefined;

  path(bot: Bot): string {
    return join(this.folder, `${bot}.socket`);
  }

  async open(bots: object): Promise<void> {
    const file = join(this.folder, "bridge.jsonl");
    writeFileSync(this.config, JSON.stringify({ version: 1, file, bots }));
    const servers: Server[] = [];
    for (const bot of BOTS) {
      const server = createServer();
      server.listen(`${this.path(bot)}.new`);
      await once(server, "listening");
      // This process lets go of it below, and must not take its file along.
      renameSync(`${this.path(bot)}.new`, this.path(bot));
      servers.push(server);
    }
    const descriptors = servers.map(
      (server) => (server as unknown as { readonly _handle: { readonly fd: number } })._handle.fd,
    );
    const main = join(import.meta.dirname, "main.ts");
    const keeper = spawn("sh", ["-c", KEEPER, process.execPath, main], {
      stdio: ["pipe", "pipe", "pipe", ...descriptors, "pipe"],
    });
    for (const server of servers) server.close();
    assert.ok(keeper.stdout !== null);
    this.#lines = createInterface(keeper.stdout)[Symbol.asyncIterator]();
    this.#keeper = keeper;
  }

  /** What it says on standard error. */
  get stderr(): Readable {
    const { stderr } = this.#keeper ?? {};
    assert.ok(stderr);
    return stderr;
  }

  async start(
    config = this.config,
    names: readonly string[] = BOTS,
    count: number = BOTS.length,
  ): Promise<void> {
    this.#keeper?.stdin?.write(`${config} ${names.join(":")} ${count}\n`);
    this.#pid = Number((await this.#line()).replace("pid ", ""));
  }

  /** Until it says that it is ready (sd_notify(3)). */
  async ready(): Promise<void> {
    const notify = this.#keeper?.stdio[3 + BOTS.length] as Readable;
    for (;;) {
      const [said] = (await once(notify, "data")) as [Buffer];
      if (said.toString().includes("READY=1")) return;
    }
  }

  /** Its exit code; above 128 where a signal ended it. */
  async ended(): Promise<number> {
    const line = await this.#line();
    this.#pid = undefined;
    return Number(line.replace("end ", ""));
  }

  async kill(signal: NodeJS.Signals): Promise<number> {
    assert.ok(this.#pid !== undefined);
    process.kill(this.#pid, signal);
    return this.ended();
  }

  async close(): Promise<void> {
    if (this.#pid !== undefined) await this.kill("SIGKILL");
    this.#keeper?.stdin?.end();
    if (this.#keeper !== undefined) await once(this.#keeper, "close");
    rmSync(this.folder, { recursive: true });
  }

  async #line(): Promise<string> {
    const next = await this.#lines?.next();
    assert.ok(next?.done === false);
    return next.value;
  }
}

describe("the bridge as a process between brokers", () => {
  const program = new Program();
  const of = (bot: Bot): RemoteBridge => new RemoteBridge(() => program.path(bot));
  const now = { most: 50, waitMs: 0, signal: new AbortController().signal };

  /** What is answered to these bytes; nothing where it hangs up. */
  async function raw(bot: Bot, bytes: string): Promise<string> {
    const socket = connect(program.path(bot));
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // Hung up on before all was read.
    socket.on("error", () => undefined);
    socket.end(bytes);
    await closed;
    return text;
  }

  before(async () => {
    await program.open({
      basecamp: { to: ["erdos", "hermit"] },
      erdos: { to: ["basecamp"] },
      hermit: { to: [], from: ["erdos"] },
    });
    await Promise.all([program.ready(), program.start()]);
  });
  after(() => program.close());

  test("a message comes to the one it is for, from the one whose socket it came by, until it is acknowledged", async () => {
    const sent = await of("basecamp").send("whoever", { to: "erdos", text: "harbour", key: "k" });
    assert.ok(sent !== undefined && "id" in sent);
    const received = await of("erdos").receive("whoever", now);
    assert.deepEqual(
      received?.messages.map(({ id, from, text }) => [id, from, text]),
      [[sent.id, "basecamp", "harbour"]],
    );
    assert.equal(await of("hermit").acknowledge("erdos", [sent.id]), 0);
    assert.equal(await of("erdos").waiting("hermit"), 1);
    assert.equal(await of("erdos").acknowledge("erdos", [sent.id]), 1);
    assert.equal(await of("erdos").waiting("erdos"), 0);
  });

  test("nobody writes to whom its own grant doesn't name, or to one that doesn't take its messages", async () => {
    for (const [from, to] of [
      ["basecamp", "hermit"],
      ["erdos", "hermit"],
      ["hermit", "basecamp"],
      ["basecamp", "basecamp"],
      ["basecamp", "nobody"],
      ["basecamp", "__proto__"],
      ["basecamp", "constructor"],
    ] as const)
      assert.deepEqual(await of(from).send(to, { to, text: "x" }), { refused: "not-taken" }, to);
    assert.deepEqual(await of("basecamp").taking("erdos", ["erdos", "hermit", "toString"]), [
      "erdos",
    ]);
    assert.deepEqual(await of("hermit").taking("hermit", ["basecamp", "erdos"]), []);
  });

  test("a broker that was taken over can't say whom it speaks for, nor ask for what isn't its own", async () => {
    const letter = { to: "erdos", text: "forged" };
    const line = (value: object): string => `${JSON.stringify(value)}\n`;
    await raw("basecamp", line({ verb: "send", letter: { ...letter, from: "hermit" } }));
    await raw("basecamp", line({ verb: "send", letter, bot: "hermit", from: "hermit" }));
    const before = await of("erdos").receive("erdos", now);
    assert.deepEqual(
      before?.messages.map(({ from }) => from),
      ["basecamp", "basecamp"],
    );
    for (const more of [{ bot: "erdos" }, { for: "erdos" }, { to: "erdos" }])
      assert.doesNotMatch(
        await raw("basecamp", line({ verb: "receive", most: 50, waitMs: 0, ...more })),
        /forged/,
      );
    await of("erdos").acknowledge("erdos", before?.messages.map(({ id }) => id) ?? []);
  });

  test("what is no request is refused, and the next one answered", async () => {
    const letter = { to: "erdos", text: "x" };
    const requests: unknown[] = [
      null,
      [],
      "send",
      {},
      { verb: "open", path: "/etc/passwd" },
      { verb: "send" },
      { verb: "send", letter: { ...letter, to: 7 } },
      { verb: "send", letter: { ...letter, to: ["erdos"] } },
      { verb: "send", letter: { ...letter, text: "x".repeat(64 * 1024 + 1) } },
      { verb: "send", letter: { ...letter, text: "é".repeat(32 * 1024 + 1) } },
      { verb: "send", letter: { ...letter, key: "" } },
      { verb: "receive", most: 51, waitMs: 0 },
      { verb: "receive", most: 1.5, waitMs: 0 },
      { verb: "receive", most: 1, waitMs: 3_600_000 },
      { verb: "receive", most: 1, waitMs: -1 },
      { verb: "acknowledge", ids: "all" },
      { verb: "acknowledge", ids: Array.from({ length: 51 }, () => "x") },
      { verb: "taking", bots: [{}] },
    ];
    for (const request of requests) {
      const said = await raw("basecamp", `${JSON.stringify(request)}\n`);
      assert.match(said, /^\{"ok":false/, JSON.stringify(request).slice(0, 80));
    }
    assert.match(await raw("basecamp", "{\n"), /^\{"ok":false/);
    assert.equal(await raw("basecamp", "x".repeat(1024 * 1024)), "");
    assert.equal(await raw("basecamp", '{"verb":"waiting"}'), "");
    assert.equal(await of("basecamp").waiting("basecamp"), 0);
  });

  test("the largest message gets through, whatever is in it", async () => {
    const text = "\u0000".repeat(64 * 1024);
    const sent = await of("erdos").send("erdos", { to: "basecamp", text });
    assert.ok(sent !== undefined && "id" in sent);
    const received = await of("basecamp").receive("basecamp", now);
    assert.equal(received?.messages[0]?.text, text);
    await of("basecamp").acknowledge("basecamp", [sent.id]);
  });

  test("who waits is told as soon as something comes, and one who goes is not taken to have read it", async () => {
    const leaves = new AbortController();
    const first = of("erdos").receive("erdos", { most: 1, waitMs: 60_000, signal: leaves.signal });
    leaves.abort();
    assert.equal(await first, undefined);
    const second = of("erdos").receive("erdos", { ...now, waitMs: 60_000 });
    const sent = await of("basecamp").send("basecamp", { to: "erdos", text: "tide" });
    assert.ok(sent !== undefined && "id" in sent);
    assert.equal((await second)?.messages[0]?.text, "tide");
    await of("erdos").acknowledge("erdos", [sent.id]);
  });

  test("one that fills its own connections leaves the others' alone", async () => {
    const open = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = connect(program.path("hermit"));
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write('{"verb":"receive","most":1,"waitMs":60000}\n');
        return socket;
      }),
    );
    const sent = await of("basecamp").send("basecamp", { to: "erdos", text: "still" });
    assert.ok(sent !== undefined && "id" in sent);
    assert.equal(await of("erdos").acknowledge("erdos", [sent.id]), 1);
    for (const socket of open) socket.destroy();
  });

  test("what was kept is there after it was killed, and who asks meanwhile is answered by the next", async () => {
    const sent = await of("basecamp").send("basecamp", { to: "erdos", text: "kept", key: "once" });
    assert.ok(sent !== undefined && "id" in sent);
    assert.equal(await program.kill("SIGKILL"), 137);
    const asked = of("basecamp").send("basecamp", { to: "erdos", text: "kept", key: "once" });
    await Promise.all([program.ready(), program.start()]);
    assert.deepEqual(await asked, sent);
    const received = await of("erdos").receive("erdos", now);
    assert.deepEqual(
      received?.messages.map(({ text }) => text),
      ["kept"],
    );
    assert.equal(await program.kill("SIGTERM"), 0);
    assert.match(readFileSync(join(program.folder, "bridge.jsonl"), "utf8"), /"kept"/);
    await Promise.all([program.ready(), program.start()]);
    assert.equal(await of("erdos").waiting("erdos"), 1);
  });

  test("it doesn't start with a socket that no rule is for, nor without rules", async () => {
    await program.kill("SIGTERM");
    let said = "";
    program.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const { config } = program;
    const wrong: readonly (readonly [string, string, (readonly string[])?, number?])[] = [
      ["a socket is that of a bot without", config, ["basecamp", "erdos", "stranger"]],
      ["configuration can't be read", `${config}.none`],
      ["handed over no sockets", config, BOTS, 0],
    ];
    for (const [what, ...start] of wrong) {
      await program.start(...start);
      assert.equal(await program.ended(), 3);
      // Of the same pipe as its end is not: it may come after it.
      while (!said.includes(what)) await once(program.stderr, "data");
    }
  });
});

test("RemoteBridge has no answer where nobody is, and takes none that was cut off", async (t) => {
  const folder = temporaryFolder(t);
  const nowhere = new RemoteBridge(() => join(folder, "nothing"));
  assert.equal(await nowhere.waiting("basecamp"), undefined);
  assert.equal(await new RemoteBridge(() => undefined).waiting("basecamp"), undefined);
  const path = join(folder, "socket");
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end('{"ok":true,"value":1}');
  });
  server.listen(path);
  await once(server, "listening");
  t.after(() => server.close());
  assert.equal(await new RemoteBridge(() => path).waiting("basecamp"), undefined);
});
