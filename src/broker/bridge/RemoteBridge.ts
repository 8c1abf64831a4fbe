import { connect } from "node:net";
import type { BridgeEnd, BridgeLetter, BridgeReceived, BridgeSent } from "./BridgeEnd.ts";
import type { BridgeRequest } from "./readBridgeRequest.ts";

/** Fifty messages, each byte of them escaped. */
const LONGEST = 32 * 1024 * 1024;
/** Beyond what it was told to wait for. */
const PATIENCE_MS = 10_000;

/**
 * The bridge by the socket that is this broker's. The bot is left out of what is said there, since the
 * bridge knows whose socket it is; this broker has one bot only.
 */
export class RemoteBridge implements BridgeEnd {
  readonly #path: () => string | undefined;

  constructor(path: () => string | undefined) {
    this.#path = path;
  }

  async send(_from: string, letter: BridgeLetter): Promise<BridgeSent | undefined> {
    return (await this.#ask({ verb: "send", letter })) as BridgeSent | undefined;
  }

  async receive(
    _bot: string,
    options: { readonly most: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<BridgeReceived | undefined> {
    const { most, waitMs, signal } = options;
    const reply = await this.#ask({ verb: "receive", most, waitMs }, signal, waitMs);
    return reply as BridgeReceived | undefined;
  }

  async acknowledge(_bot: string, ids: readonly string[]): Promise<number | undefined> {
    return (await this.#ask({ verb: "acknowledge", ids })) as number | undefined;
  }

  async waiting(_bot: string): Promise<number | undefined> {
    return (await this.#ask({ verb: "waiting" })) as number | undefined;
  }

  async taking(_from: string, bots: readonly string[]): Promise<readonly string[] | undefined> {
    return (await this.#ask({ verb: "taking", bots })) as readonly string[] | undefined;
  }

  /** The value of the answer; `undefined` when none came. */
  #ask(request: BridgeRequest, signal?: AbortSignal, waitMs = 0): Promise<unknown> {
    const path = this.#path();
    if (path === undefined || signal?.aborted === true) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const socket = connect(path);
      const chunks: Buffer[] = [];
      let length = 0;
      const end = (): void => {
        signal?.removeEventListener("abort", end);
        socket.destroy();
        resolve(valueOf(Buffer.concat(chunks).toString("utf8")));
      };
      signal?.addEventListener("abort", end);
      socket.setTimeout(waitMs + PATIENCE_MS, end);
      socket.on("error", end);
      socket.once("end", end);
      socket.once("close", end);
      socket.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > LONGEST) end();
        else chunks.push(chunk);
      });
      socket.write(`${JSON.stringify(request)}\n`);
    });
  }
}

/** An answer that was cut off is none. */
function valueOf(text: string): unknown {
  if (!text.endsWith("\n")) return undefined;
  try {
    const reply = JSON.parse(text) as { readonly ok?: boolean; readonly value?: unknown };
    return reply.ok === true ? reply.value : undefined;
  } catch {
    return undefined;
  }
}
