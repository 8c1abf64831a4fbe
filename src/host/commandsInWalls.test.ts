import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeAuthority } from "../broker/testing/certificates.ts";
import { catalogueBots } from "../broker/testing/catalogueBots.ts";
import { freePort } from "../broker/testing/TestBroker.ts";
import { temporaryFolder } from "../../test/support/temporaryFolder.ts";
import { statePaths } from "../paths/index.ts";
import type { Mount, WallSpec } from "../wall/index.ts";
import { lacking, probeSubject, specFor, start, SUBJECT } from "../wall/testing/harness.ts";
import { auditFile } from "./auditRecord.ts";
import { brokerWall } from "./brokerWall.ts";
import { COMMAND_SOCKET } from "./inside.ts";
import { LogFile } from "./LogFile.ts";
import { storeLauncher } from "./storeLauncher.ts";
import { BrokerProcess, type HeldListener } from "./supervisor/BrokerProcess.ts";
import { listenerOf, type LaunchMessage } from "./supervisor/launchMessages.ts";

const CLIENT = fileURLToPath(new URL("../../build/seawall-client", import.meta.url));
const capabilities = await probeSubject();

test(
  "a client command in a bot's wall is answered by the broker in its own, again after that was killed",
  { skip: lacking(capabilities) },
  async (t) => {
    const folder = temporaryFolder(t);
    const paths = statePaths({ SEAWALL_STATE: folder, SEAWALL_STORE: join(folder, "store") }, 0);
    for (const each of [paths.audit, paths.vault.folder, paths.logs, paths.store])
      mkdirSync(each, { recursive: true, mode: 0o700 });
    mkdirSync(join(paths.store, "broker-cache"), { recursive: true });
    const certificate = await (await makeAuthority("wall")).issue(["nothing.invalid"]);
    const { grants } = catalogueBots(
      { bots: { basecamp: { bridge: { to: ["erdos"] } }, erdos: { bridge: {} } } },
      () => undefined,
    );
    const held: HeldListener[] = [];
    const broker = new BrokerProcess({
      log: new LogFile(join(paths.logs, "broker.log")),
      callbacks: { onDial: () => undefined, onAsk: () => undefined, listeners: () => held },
    });
    t.after(() => broker.stop(0));
    const ingress = { port: await freePort(), controlPage: false };
    const walled = {
      programs: { node: process.execPath },
      plan: { bots: [{ ingress, concessions: [] }], secrets: [] },
    };
    const wall = brokerWall(walled, paths, capabilities);
    await broker.useWall(wall, storeLauncher(paths.store));
    await broker.configure({
      secrets: [],
      vault: { file: join(paths.vault.folder, "none"), identity: join(paths.vault.folder, "none") },
      audit: { file: auditFile(paths) },
      bots: [...grants].map(([name, each]) => ({ name, grants: each, certificate })),
    });

    const run = async (
      bot: string,
      ...args: string[]
    ): Promise<{ code: number | null; out: string; err: string }> => {
      const mounts: Mount[] = [
        { kind: "read", from: CLIENT, to: "/usr/bin/bridge" },
        { kind: "proc", to: "/proc" },
        { kind: "devices", to: "/dev" },
        { kind: "memory", to: COMMAND_SOCKET.folder, size: 4096 },
      ];
      const spec: WallSpec = specFor("", {
        command: ["/usr/bin/bridge", ...args],
        mounts,
        libraries: [],
        network: { tcp: [], udp: [], bind: [], socket: COMMAND_SOCKET },
      });
      const started = start(t, capabilities, spec, (message, handle) => {
        const said = message as LaunchMessage;
        if (said.type !== "listener") return;
        const listener = { message: listenerOf(said, { name: bot, ...SUBJECT }), handle };
        held.push(listener);
        broker.giveListener(listener);
      });
      const { code } = await started.finished;
      broker.drop(bot);
      held.length = 0;
      return { code, out: started.output(), err: started.errors() };
    };

    const sent = await run("basecamp", "send", "to=erdos", "text=kept");
    assert.equal(sent.err, "");
    assert.equal(sent.code, 0);
    // SIGKILL is what comes when a machine runs out of memory: nothing is written on the way out.
    const { pid } = broker.status();
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    // The client waits for the broker to be there again.
    const read = await run("erdos", "receive");
    assert.equal(read.err, "");
    const { messages } = JSON.parse(read.out) as { messages: { from: string; text: string }[] };
    assert.deepEqual(
      messages.map(({ from, text }) => [from, text]),
      [["basecamp", "kept"]],
    );
    assert.match(readFileSync(auditFile(paths), "utf8"), /"kind":"command".*"method":"send"/);
  },
);
