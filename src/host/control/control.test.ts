import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { temporaryFolder } from "../../../test/support/temporaryFolder.ts";
import { SeawallError } from "../../faults/index.ts";
import { HostError } from "../HostError.ts";
import { statePaths, type StatePaths } from "../../paths/index.ts";
import { supervisorEnds } from "../stopDeployment.ts";
import { askSupervisor, serveControl } from "./index.ts";
import type { ControlHandler } from "./serveControl.ts";

async function serve(
  t: TestContext,
  handler: ControlHandler,
  named = false,
): Promise<{ paths: StatePaths; socket: string }> {
  const paths = statePaths({ SEAWALL_STATE: temporaryFolder(t) }, 1);
  mkdirSync(paths.run, { recursive: true });
  const { address, server } = await serveControl(handler, named ? paths.run : undefined);
  t.after(() => server.close());
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

test("serveControl() answers at a path where there are no abstract sockets, and takes the place of an old one", async (t) => {
  const done: ControlHandler = async (_, reply) => reply({ kind: "done" });
  const { paths, socket } = await serve(t, done, true);
  assert.equal(socket, join(paths.run, "control"));
  assert.deepEqual(await askSupervisor(paths, { verb: "status" }), { kind: "done" });
  rmSync(socket);
  writeFileSync(socket, "");
  const again = await serveControl(done, paths.run);
  t.after(() => again.server.close());
  writeFileSync(join(paths.run, "supervisor.json"), JSON.stringify(again.address));
  assert.deepEqual(await askSupervisor(paths, { verb: "status" }), { kind: "done" });
  await assert.rejects(serveControl(done, join(paths.run, "x".repeat(100))), { code: "no-access" });
});

test("supervisorEnds() waits for the process that the address names", async (t) => {
  const paths = statePaths({ SEAWALL_STATE: temporaryFolder(t) }, 1);
  assert.equal(await supervisorEnds(paths), "ended");
  const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
  t.after(() => child.kill("SIGKILL"));
  mkdirSync(paths.run, { recursive: true });
  writeFileSync(join(paths.run, "supervisor.json"), JSON.stringify({ pid: child.pid }));
  let over = false;
  const ends = supervisorEnds(paths).then(() => (over = true));
  await once(child, "spawn");
  assert.equal(over, false);
  child.kill("SIGKILL");
  await ends;
});
