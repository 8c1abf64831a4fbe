import net from "node:net";
import type { TestBroker } from "./TestBroker.ts";
import { unixHandle } from "./rawHandles.ts";

/** What a client command has said when it ended. */
export interface CommandEnd {
  /** `undefined` when the broker cut it. */
  readonly code: number | undefined;
  readonly out: Buffer;
  readonly err: string;
}

/** A bot's socket for client commands, and the client's side of the protocol, which native/client.c speaks too. */
export class TestCommands {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(
    t: TestBroker,
    bot: string,
    uid = process.getuid?.() ?? -1,
  ): Promise<TestCommands> {
    // Beside the folder, whose files tests read; closing it takes its name away.
    const path = `${t.folder}-${bot}.sock`;
    await t.broker.receive({ type: "listener", bot, protocol: "unix", uid }, unixHandle(path));
    return new TestCommands(path);
  }

  /** One use, as the client makes it. */
  use(command: string, args: readonly string[] = [], body?: Uint8Array): Promise<CommandEnd> {
    const line = JSON.stringify({ v: 1, command, args, body: body !== undefined });
    return this.send(Buffer.concat([Buffer.from(`${line}\n`), body ?? Buffer.alloc(0)]));
  }

  /** Any bytes, then the end of them. */
  send(bytes: Uint8Array): Promise<CommandEnd> {
    return new Promise((resolve) => {
      const socket = net.connect({ path: this.path, allowHalfOpen: true });
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("error", () => undefined);
      socket.once("end", () => socket.end());
      socket.once("close", () => {
        resolve(readFrames(Buffer.concat(chunks)));
      });
      socket.end(bytes);
    });
  }
}

export function readFrames(bytes: Buffer): CommandEnd {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let code: number | undefined;
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 1);
    const part = bytes.subarray(at + 5, at + 5 + length);
    const kind = String.fromCharCode(bytes[at] ?? 0);
    if (kind === "o") out.push(part);
    else if (kind === "e") err.push(part);
    else if (kind === "x") code = part[0];
    at += 5 + length;
  }
  return { code, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
}
