import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureAuthority } from "../../authority/index.ts";
import { catalogueBots } from "../../broker/testing/catalogueBots.ts";
import { TestBroker } from "../../broker/testing/TestBroker.ts";
import { TestCommands, type CommandEnd } from "../../broker/testing/TestCommands.ts";
import { makePlan, type Plan } from "../../plan/index.ts";
import { catalogue } from "../../catalogue/index.ts";
import { checkShape } from "../../declaration/index.ts";
import { lackingBrowser } from "../../services/browser/testing/TestBrowser.ts";
import { TestSite } from "../../services/browser/testing/TestSite.ts";
import { BROWSER_PROGRAM, findChromium } from "../../services/index.ts";
import { probeHost } from "../../wall/index.ts";
import { probeSubject, ROOT, SUBJECT } from "../../wall/testing/harness.ts";
import { LAUNCHER, NODE } from "../../wall/testing/reachable.ts";
import { browserSetup, browserUser } from "../browserSetup.ts";
import type { Generation } from "../Generation.ts";
import { LogFile } from "../LogFile.ts";
import { storeProgram } from "../storeProgram.ts";
import { warmBroker } from "../warmBroker.ts";
import { BrowserService } from "./BrowserService.ts";

const host = await probeSubject();

/** The whole way: client, broker, supervisor, gate in its wall, browser in its own, a site. */
describe("browser-fetch from a bot's command to the web", { skip: lackingBrowser(host) }, () => {
  let folder: string;
  let service: BrowserService;
  let log: LogFile;
  let t: TestBroker;
  let site: TestSite;
  const commands = new Map<string, TestCommands>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "seawall-browser-service-"));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    site = await TestSite.start("127.0.0.1");
    site.html("/page", "<article><h1>Tides</h1><p>High water.</p></article>");
    const declared = {
      basecamp: {
        "browser-fetch": {
          allowHosts: [`localhost:${site.port}`],
          dial: { networks: ["127.0.0.1/32", "::1/128"] },
          seconds: 20,
        },
      },
      erdos: { "browser-fetch": { allowHosts: ["*.example.org"] } },
      plain: {},
    };
    const plan = planOf(declared);
    await warmBroker(NODE, join(folder, "store"));
    log = new LogFile(join(folder, "browser.log"));
    service = new BrowserService(log, join(folder, "run"));
    const generation = {
      number: 1,
      created: "",
      declaration: "",
      plan,
      bots: {},
      programs: {
        node: NODE,
        launcher: LAUNCHER,
        shell: "/bin/sh",
        browser: {
          chromium: findChromium() ?? "",
          program: storeProgram(join(folder, "store"), BROWSER_PROGRAM),
        },
      },
    } satisfies Generation;
    const setup = await browserSetup({
      generation,
      store: join(folder, "store"),
      authority: await ensureAuthority(join(folder, "authority")),
      capabilities: host,
      ours: await probeHost({ launcher: LAUNCHER }),
      users: new Map(ROOT ? [[browserUser("basecamp"), SUBJECT.uid ?? 0]] : []),
    });
    assert.deepEqual(
      setup?.bots.map(({ bot }) => bot),
      ["basecamp", "erdos"],
    );
    await service.use(setup);

    t = await TestBroker.start({
      send: (message) => {
        t.sent.push(message);
        if (message.type === "dial-program") void dial(message.bot, message.id);
      },
    });
    const { grants } = catalogueBots({ bots: declared }, () => undefined);
    for (const [bot, its] of grants) await t.bot(bot, its);
    assert.deepEqual(await t.configure(), { type: "configured" });
    for (const bot of grants.keys()) commands.set(bot, await TestCommands.open(t, bot));
  });
  after(async () => {
    await t.end();
    await service.stop();
    log.close();
    await site.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function dial(bot: string, id: number): Promise<void> {
    const handle = await service.connect(bot);
    const error = handle === undefined ? { error: "ENOENT" } : {};
    await t.broker.receive({ type: "gateway-connection", id, ...error }, handle as never);
  }
  const use = async (bot: string, ...args: string[]): Promise<CommandEnd> => {
    const client = commands.get(bot);
    assert.ok(client !== undefined);
    return client.use("browser-fetch", args);
  };
  const url = (path: string): string => `http://localhost:${site.port}${path}`;

  test("a page is read, and the record says which host was asked for", async () => {
    assert.deepEqual(service.pids().browsers, []);
    const end = await use("basecamp", "fetch", `url=${url("/page")}`);
    assert.equal(end.code, 0, end.err + readFileSync(join(folder, "browser.log"), "utf8"));
    const said = JSON.parse(end.out.toString()) as Record<string, unknown>;
    assert.equal(said["title"], "/page");
    assert.match(String(said["markdown"]), /High water/);
    const record = await t.record((each) => each.kind === "command" && each.bot === "basecamp");
    assert.deepEqual(
      [record.host, record.method, record.path, record.outcome],
      [`localhost:${site.port}`, "fetch", "browser-fetch", "done"],
    );
  });

  test("a screenshot comes as bytes", async () => {
    const end = await use("basecamp", "screenshot", `url=${url("/page")}`, "width=200");
    assert.equal(end.code, 0, end.err);
    assert.equal(end.out.subarray(1, 4).toString(), "PNG");
  });

  test("a refusal names what refused, and is recorded", async () => {
    for (const [bot, address, code, rule] of [
      ["basecamp", "http://169.254.169.254/", "host-not-granted", "allowHosts"],
      ["basecamp", "file:///etc/passwd", "scheme", "scheme"],
      ["erdos", url("/page"), "host-not-granted", "allowHosts"],
    ] as const) {
      const end = await use(bot, "fetch", `url=${address}`);
      assert.equal(end.code, 3, end.err);
      const { error } = JSON.parse(end.err) as { error: Record<string, string> };
      assert.deepEqual([error["code"], error["rule"]], [code, rule]);
    }
    const record = await t.record((each) => each.kind === "command" && each.bot === "erdos");
    assert.deepEqual([record.outcome, record.code], ["refused", "host-not-granted"]);
    const none = await use("plain", "fetch", `url=${url("/page")}`);
    assert.notEqual(none.code, 0);
    assert.equal((await use("basecamp", "fetch")).code, 2);
    assert.equal((await use("basecamp", "fetch", "url=")).code, 2);
  });

  test("a client that goes away ends its page", async () => {
    let asked: (() => void) | undefined;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const left = Promise.withResolvers<void>();
    site.pages.set("/slow", (_request, response) => {
      asked?.();
      response.once("close", () => left.resolve());
    });
    const handle = await service.connect("basecamp");
    const options: object = { handle };
    const socket = new Socket(options);
    socket.write(`${JSON.stringify({ operation: "fetch", url: url("/slow") })}\n`);
    await arrived;
    socket.destroy();
    await left.promise;
  });

  test("a gate that ends is started again, and its browsers with it", async () => {
    const { gate, browsers } = service.pids();
    assert.ok(gate !== undefined && browsers.length === 1);
    process.kill(gate, "SIGKILL");
    for (;;) {
      const end = await use("basecamp", "fetch", `url=${url("/page")}`);
      if (end.code === 0) break;
      assert.equal(end.code, 5, end.err);
    }
    assert.notEqual(service.pids().gate, gate);
    assert.throws(() => process.kill(browsers[0] ?? 0, 0));
  });

  test("the gate and the browsers hold nothing of anybody's, and what ends, ends all", async () => {
    const { gate, browsers } = service.pids();
    const canary = "seawall-canary-in-the-environment";
    process.env["SEAWALL_TEST_CANARY"] = canary;
    for (const pid of [gate, ...browsers]) {
      assert.ok(pid !== undefined);
      assert.ok(!readFileSync(`/proc/${pid}/environ`, "utf8").includes("PATH=/work"));
      assert.ok(!readFileSync(`/proc/${pid}/environ`, "utf8").includes(canary));
    }
    await service.use(undefined);
    for (const pid of [gate, ...browsers]) assert.throws(() => process.kill(pid ?? 0, 0));
    assert.equal(await service.connect("basecamp"), undefined);
  });
});

function planOf(bots: Readonly<Record<string, Readonly<Record<string, object>>>>): Plan {
  const { declaration, faults } = checkShape({
    seawall: 1,
    secrets: { model: { vault: "model" } },
    bots: Object.fromEntries(
      Object.entries(bots).map(([name, grants], index) => [
        name,
        {
          openclaw: "2026.9.6",
          model: "anthropic/claude-sonnet-4-6",
          port: 18789 + index,
          grants: { anthropic: { secret: "model" }, ...grants },
        },
      ]),
    ),
  });
  assert.deepEqual(faults, []);
  assert.ok(declaration);
  const made = makePlan(declaration, { catalogue, versions: ["2026.9.6"] });
  assert.deepEqual(made.faults, []);
  assert.ok(made.plan);
  return made.plan;
}
