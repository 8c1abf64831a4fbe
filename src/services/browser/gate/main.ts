import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { Gate } from "./Gate.ts";
import type { FromGate, ToGate } from "../messages.ts";

/**
 * The process of the gate. No arguments: the supervisor says all over the IPC channel. It holds no
 * secret; what comes from the web is read here and in the browsers' walls, never by the broker.
 */
function main(): void {
  if (process.send === undefined) {
    writeSync(2, "error: this is started by seawall up, over an IPC channel\n");
    exit(2);
  }
  const gate = new Gate(send);
  process.on("uncaughtException", (error) => {
    // Its text may hold what a page sent.
    writeSync(2, `error: ${error.name} in ${error.stack?.split("\n")[1]?.trim() ?? "?"}\n`);
    exit(70);
  });
  process.on("disconnect", () => exit(0));
  process.on("SIGINT", () => undefined);
  process.on("message", (message, handle) => {
    const said = message as ToGate;
    // Handles come bare: what the supervisor never reads from can't be a socket of its own.
    gate.receive(said, said.type === "call" ? socketOf(handle) : handle);
    if (said.type === "stop") exit(0);
  });
  send({ type: "started" });
}

/** Handles come bare; `handle` is what net.Socket takes in its place (lib/net.js), which Node's types lack. */
function socketOf(handle: unknown): Socket {
  const options: object = { handle };
  return new Socket(options);
}

function send(message: FromGate): void {
  process.send?.(message, undefined, {}, () => undefined);
}

function exit(code: number): never {
  // eslint-disable-next-line unicorn/no-process-exit -- this file is a program of its own, like cli/main
  process.exit(code);
}

main();
