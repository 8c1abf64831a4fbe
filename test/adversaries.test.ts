import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../src/broker/testing/TestBroker.ts";
import { descriptors } from "./adversaries/peakMemory.ts";
import { allCases, runAll } from "./adversaries/runAll.ts";
import type { Result } from "./adversaries/runCase.ts";
import type { Target } from "./adversaries/Target.ts";
import { startSeawall } from "./adversaries/targets/seawall.ts";

/**
 * Every case of test/adversaries against the real broker. Each one has a plain request behind it that
 * must still work, and the groups have controls that must be served.
 */
describe("adversaries at the broker", () => {
  const cases = allCases();
  let target: Target;
  let results: ReadonlyMap<string, Promise<Result>>;
  let opened = 0;

  before(async () => {
    target = await startSeawall();
    opened = descriptors(target.pid ?? 0);
    results = runAll(target, cases);
  });
  after(() => target.close());

  for (const { name, case: each } of cases) {
    test(`${name}: ${each.what}`, async (context) => {
      const result = await results.get(name);
      if (result?.verdict === "not-applicable")
        context.skip(`not applicable: ${result.why.join("; ")}`);
      else assert.deepEqual(result?.why, []);
    });
  }

  test("no case is left out for a feature that the broker has", () => {
    const lacked = (["h2", "websocket", "proxy"] as const).filter(
      (each) => !target.features.has(each),
    );
    assert.deepEqual(lacked, []);
  });

  test("afterwards the broker has no more descriptors than before", async () => {
    await Promise.all(results.values());
    for (const { upstream } of target.lanes) upstream.cut();
    // Connections that are kept alive, and sockets that say goodbye, take their time.
    for (let look = 0; look < 100 && descriptors(target.pid ?? 0) > opened + 4; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(descriptors(target.pid ?? 0) <= opened + 4);
  });

  test("nothing it wrote holds a secret or a phantom", async () => {
    await Promise.all(results.values());
    const all = target.written?.() ?? "";
    assert.ok(all.length > 0);
    for (const { words } of target.lanes)
      for (const name of ["secret", "phantom", "other-phantom", "foreign-phantom", "proxy-token"])
        assert.ok(!all.includes((words[name] ?? "-").slice(-20)), name);
  });
});

describe("the runner, pointed at something else", { concurrency: true }, () => {
  const RUN = fileURLToPath(new URL("adversaries/run.ts", import.meta.url));
  const READ_ME = readFileSync(new URL("adversaries/README.md", import.meta.url), "utf8");

  /** A relay of bytes is a proxy that refuses nothing. */
  async function againstRelay(only: string): Promise<{ code: number; report: Report }> {
    const upstreamPort = await freePort();
    const relay = net.createServer((socket) => {
      const server = net.connect(upstreamPort, "127.0.0.1");
      for (const each of [socket, server]) each.on("error", () => undefined);
      socket.on("close", () => server.destroy());
      server.on("close", () => socket.destroy());
      socket.pipe(server).pipe(socket);
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    const { port } = relay.address() as AddressInfo;
    const args = ["--target", "generic", "--plain", "--connect", `127.0.0.1:${port}`];
    args.push(
      "--host",
      "api.test",
      "--upstream-port",
      String(upstreamPort),
      "--only",
      only,
      "--json",
    );
    const child = spawn(process.execPath, [RUN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    relay.close();
    return { code, report: JSON.parse(text) as Report };
  }

  test("what a proxy serves rightly is held, and the exit code is 0", async () => {
    const { code, report } = await againstRelay("smuggling/control-length");
    assert.equal(code, 0);
    assert.deepEqual([report.held, report.broken], [1, 0]);
  });

  test("what it passes on though nobody may is broken, and the exit code is 1", async () => {
    const { code, report } = await againstRelay("smuggling/cl-cl-different");
    assert.equal(code, 1);
    assert.deepEqual([report.held, report.broken], [0, 1]);
  });

  test("README.md counts the cases as they are", () => {
    const count = new Map<string, number>();
    for (const { name } of allCases()) {
      const group = name.split("/")[0] ?? "";
      count.set(group, (count.get(group) ?? 0) + 1);
    }
    const told = [...READ_ME.matchAll(/^\| `([a-z0-9]+)` +\| (\d+) /gm)];
    assert.deepEqual(new Map(told.map(([, name = "", cases]) => [name, Number(cases)])), count);
    assert.ok(READ_ME.includes(`\n${allCases().length} cases of`));
    assert.ok(allCases().length >= 150);
  });
});

interface Report {
  readonly held: number;
  readonly broken: number;
}
