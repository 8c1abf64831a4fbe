import { fork, type ChildProcess, type SendHandle } from "node:child_process";
import { once } from "node:events";
import type { RawHandle } from "../listeners/Listeners.ts";
import type { FromBroker, ToBroker } from "../protocol.ts";

/** The real broker in a process of its own, spoken to as the supervisor does. */
export class BrokerProcess {
  readonly child: ChildProcess;
  readonly messages: FromBroker[] = [];
  stderr = "";

  /** @param flags of Node.js. */
  constructor(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []) {
    this.child = fork(new URL("../main.ts", import.meta.url), [], {
      env: { PATH: process.env["PATH"], ...env },
      execArgv: [...flags],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.child.on("message", (message) => this.messages.push(message as FromBroker));
  }

  /** Sends a message, a raw handle with it: Node passes a bare TCP or UDP wrap as `net.Native` or `dgram.Native`. */
  send(message: ToBroker, handle?: RawHandle): void {
    this.child.send(message, handle as SendHandle | undefined);
  }

  /** The first message of a type, waited for. */
  async message<Type extends FromBroker["type"]>(
    ...types: Type[]
  ): Promise<Extract<FromBroker, { type: Type }>> {
    for (;;) {
      const index = this.messages.findIndex((message) =>
        (types as string[]).includes(message.type),
      );
      const [found] = index < 0 ? [] : this.messages.splice(index, 1);
      if (found !== undefined) return found as Extract<FromBroker, { type: Type }>;
      if (this.child.exitCode !== null) throw new Error(`the broker has gone: ${this.stderr}`);
      await Promise.race([once(this.child, "message"), once(this.child, "exit")]);
    }
  }

  /** How it ended, waited for. */
  async exit(): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, "exit");
    return this.child.exitCode ?? this.child.signalCode ?? "";
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exit();
  }
}
