import { writeSync } from "node:fs";
import { Broker } from "./Broker.ts";
import { messageOfFault } from "./messageOfFault.ts";
import type { RawHandle } from "./listeners/Listeners.ts";
import type { FromBroker, ToBroker } from "./protocol.ts";
import { StoreProcess } from "./StoreProcess.ts";

/**
 * The broker's process. No arguments: the supervisor says all over the IPC channel (protocol.ts).
 *
 * Started without a channel it loads everything it ever loads and exits 2: with NODE_COMPILE_CACHE
 * set this fills the cache, and a broker that finds its code there needs 16 MB less (measured with
 * Node 24.21: the TypeScript parser, a WebAssembly module, isn't loaded at all).
 */
async function main(): Promise<void> {
  const { openStores, protectMemory } = await import("../secrets/index.ts");
  if (process.send === undefined) {
    await import("node:zlib");
    writeSync(2, "error: the broker is started by seawall up, over an IPC channel\n");
    exit(2);
  }
  protectMemory();
  const storeProcess = new StoreProcess(send);
  const broker = new Broker({
    send,
    openStores: ({ vault, credentials }) =>
      openStores(
        { vault, ...(credentials === undefined ? {} : { credentials }) },
        {
          onHealth: send,
          ask: (request) => storeProcess.ask(request),
          environment: process.env,
        },
      ),
  });

  process.on("uncaughtException", (error) => {
    broker.abandon("broker-crash");
    writeSync(2, messageOfFault(error));
    exit(70);
  });
  // Without a supervisor nobody may use the bots' sockets any more.
  process.on("disconnect", () => {
    broker.abandon("stopped");
    exit(0);
  });
  // The supervisor ends the broker by `stop` or by closing the channel; a Ctrl-C goes to the whole terminal group.
  process.on("SIGINT", () => undefined);
  const receive = async (message: ToBroker, handle: RawHandle | undefined): Promise<void> => {
    if (message.type === "secrets-read") {
      storeProcess.answer(message.id, message.results);
      return;
    }
    await broker.receive(message, handle);
    if (message.type === "stop") exit(0);
  };
  process.on("message", (message, handle) => {
    void receive(message as ToBroker, handle as RawHandle | undefined);
  });
  send({ type: "started" });
}

/** The supervisor may be gone; `disconnect` then ends this process. */
function send(message: FromBroker): void {
  process.send?.(message, undefined, {}, () => undefined);
}

/** At once: open sockets must not keep a process alive that has nothing more to say. */
function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own, like cli/main
  process.exit(code);
}

await main();
