import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { SeawallError } from "../../faults/index.ts";
import { HostError } from "../HostError.ts";
import { statePaths, type StatePaths } from "../../paths/index.ts";
import { askSupervisor, serveControl } from "./index.ts";
import type { ControlHandler } from "./serveControl.ts";

async function serve(
  t: TestContext,
  handler: ControlHandler,
): Promise<{ paths: StatePaths; socket: string }> {
  const paths = statePaths({ SEAWALL_STATE: temporaryFolder(t) }, 1);
  const { address, server } = await serveControl(handler);
  t.after(() => server.close());
  mkdirSync(paths.run, { recursive: true });
  writeFileSync(join(paths.run, "supervisor.json"), JSON.stringify(address));
  return { paths, socket: address.socket };
}

test("askSupervisor() passes progress on and gives the last reply", async (t) => {
  const { paths } = await serve(t, async (request, reply) => {
    reply({ kind: "progress", text: `one ${request.verb}` });
    reply({ kind: "progress", text: "two" });
    reply({ kind: "done" });
  });
  const seen: string[] = [];
  const reply = await askSupervisor(paths, { verb: "down" }, (text) => seen.push(text));
  assert.deepEqual(reply, { kind: "done" });
  assert.deepEqual(seen, ["one down", "two"]);
});

test("askSupervisor() throws what the supervisor threw, with code, hint and exit code", async (t) => {
  const { paths } = await serve(t, async () => {
    throw new HostError("no-such-bot", "no bot", { hint: "look" });
  });
  await assert.rejects(askSupervisor(paths, { verb: "restart" }), (error) => {
    assert.ok(error instanceof SeawallError);
    assert.deepEqual(
      { code: error.code, message: error.message, hint: error.hint, exitCode: error.exitCode },
      { code: "no-such-bot", message: "no bot", hint: "look", exitCode: 2 },
    );
    return true;
  });
});

test("askSupervisor() says that nothing runs when there is no address, or nobody at it", async (t) => {
  const paths = statePaths({ SEAWALL_STATE: temporaryFolder(t) }, 1);
  const notRunning = (error: unknown): boolean =>
    error instanceof HostError && error.code === "not-running";
  await assert.rejects(askSupervisor(paths, { verb: "status" }), notRunning);
  mkdirSync(paths.run, { recursive: true });
  writeFileSync(
    join(paths.run, "supervisor.json"),
    JSON.stringify({ pid: 1, socket: "seawall-nobody-here", token: "x" }),
  );
  await assert.rejects(askSupervisor(paths, { verb: "status" }), notRunning);
});

for (const line of ["", "wrong-token {}\n", '{"verb":"down"}\n', "x".repeat(70_000)]) {
  test(`serveControl() doesn't answer a caller without the token: ${JSON.stringify(line.slice(0, 20))}`, async (t) => {
    let called = false;
    const { socket } = await serve(t, async () => {
      called = true;
    });
    const connection = createConnection(`\0${socket}`);
    connection.end(line);
    connection.on("error", () => undefined);
    let answer = "";
    try {
      for await (const chunk of connection) answer += String(chunk);
    } catch {
      // Reset, which is an answer too.
    }
    assert.ok(!answer.includes("done") && !answer.includes("status"), answer);
    assert.equal(called, false);
  });
}
