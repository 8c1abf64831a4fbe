import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import type { BrokerConfig } from "../../src/broker/index.ts";
import { tcpHandle, type TestSocket } from "../../src/broker/testing/rawHandles.ts";
import { brokerWall } from "../../src/host/brokerWall.ts";
import { serveControl } from "../../src/host/control/index.ts";
import type { Generation } from "../../src/host/Generation.ts";
import { LogFile } from "../../src/host/LogFile.ts";
import { statePaths } from "../../src/paths/index.ts";
import { storeLauncher } from "../../src/host/storeLauncher.ts";
import { BrokerProcess } from "../../src/host/supervisor/BrokerProcess.ts";
import { warmBroker } from "../../src/host/warmBroker.ts";
import { probeHost } from "../../src/wall/index.ts";

/**
 * A supervisor without bots: the real broker in its real wall, the real processes that read stores for
 * it, and one listener of this machine instead of a bot's. Everything comes over the channel, and what
 * `seawall secret` asks of a supervisor over its socket.
 */
export type ToStoreSupervisor =
  | { readonly type: "start"; readonly plan: Generation["plan"]; readonly declaration: string }
  | { readonly type: "configure"; readonly config: BrokerConfig }
  | { readonly type: "refresh" | "health" | "stop" };

export type FromStoreSupervisor =
  | { readonly type: "started"; readonly port: number }
  | { readonly type: "configured"; readonly broker: number }
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "refreshed" | "stopped" }
  | {
      readonly type: "health";
      readonly health: BrokerProcess["health"] extends () => infer T ? T : never;
    };

const paths = statePaths(process.env, process.getuid?.() ?? -1);
let generation: Generation | undefined;
let listener: TestSocket | undefined;
let broker: BrokerProcess | undefined;
let control: Server | undefined;

process.on("message", (message) => void receive(message as ToStoreSupervisor).then(tell));
// Nothing is left to do for anybody.
process.once("disconnect", () => void broker?.stop(0));

function tell(message: FromStoreSupervisor): void {
  process.send?.(message, undefined, {}, () => {
    if (message.type === "stopped") process.disconnect();
  });
}

async function receive(message: ToStoreSupervisor): Promise<FromStoreSupervisor> {
  switch (message.type) {
    case "start":
      return start(message.plan, message.declaration);
    case "configure":
      return configure(message.config);
    case "refresh":
      await broker?.refreshSecrets();
      return { type: "refreshed" };
    case "health":
      return { type: "health", health: broker?.health() ?? [] };
    case "stop":
      await broker?.stop(0);
      listener?.handle.close();
      control?.close();
      return { type: "stopped" };
    default:
      return message satisfies never;
  }
}

async function start(plan: Generation["plan"], declaration: string): Promise<FromStoreSupervisor> {
  for (const folder of [paths.logs, paths.audit, paths.vault.folder, paths.bots])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const programs = {
    node: process.execPath,
    launcher: storeLauncher(paths.store),
    shell: "/bin/sh",
  };
  await warmBroker(process.execPath, paths.store);
  generation = { number: 1, created: "", declaration, plan, programs, bots: {} };
  const held = (listener = tcpHandle());
  broker = new BrokerProcess({
    log: new LogFile(join(paths.logs, "broker.log")),
    callbacks: {
      onDial: () => undefined,
      onAsk: () => undefined,
      listeners: () => [
        {
          message: {
            type: "listener",
            bot: "basecamp",
            protocol: "tcp",
            port: held.port,
            family: 4,
          },
          handle: held.handle,
        },
      ],
    },
  });
  return { type: "started", port: held.port };
}

async function configure(config: BrokerConfig): Promise<FromStoreSupervisor> {
  if (generation === undefined || broker === undefined) throw new Error("not started");
  const { programs } = generation;
  const capabilities = await probeHost({ launcher: programs.launcher });
  try {
    await broker.useWall(brokerWall(generation, paths, capabilities), programs.launcher);
    await broker.configure(config, { programs, paths, capabilities, config, concessions: [] });
    await serveCommands(broker);
    return { type: "configured", broker: broker.status().pid ?? 0 };
  } catch (error) {
    return { type: "refused", message: error instanceof Error ? error.message : "" };
  }
}

/** The requests that commands about secrets make, answered as the supervisor does. */
async function serveCommands(running: BrokerProcess): Promise<void> {
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  const served = await serveControl(async ({ verb }, reply) => {
    if (verb === "status") {
      const [now, health] = [running.status(), running.health()];
      const status = { pid: process.pid, generation: 1, since: now.since, broker: now, bots: [] };
      reply({ kind: "status", status: { ...status, asks: 0, health } });
    } else if (verb === "refresh-secrets") {
      await running.refreshSecrets();
      reply({ kind: "done" });
    } else throw new Error(`no answer to ${verb}`);
  });
  control = served.server;
  writeFileSync(join(paths.run, "supervisor.json"), JSON.stringify(served.address));
}
