import { once } from "node:events";
import net, { type Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import type { Step, Via } from "./Case.ts";
import type { Lane, Target } from "./Target.ts";
import { fill, fillText, type Words } from "./words.ts";

const MOST_KEPT = 8 << 20;

/** A client of the target: does a case's steps and keeps what it gets. */
export class Visitor {
  #chunks: Buffer[] = [];
  #kept = 0;
  /** All bytes that came, kept or not. */
  bytes = 0;
  /** Nothing more can come. */
  ended = false;
  /** TLS did not come about. */
  failedTls = false;
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.#kept < MOST_KEPT) {
        this.#chunks.push(chunk);
        this.#kept += chunk.length;
      }
      this.#changed();
    });
    const end = (): void => {
      this.ended = true;
      this.#changed();
    };
    socket.once("end", end);
    socket.once("close", end);
    this.gone = new Promise((resolve) => {
      if (socket.closed) resolve();
      else socket.once("close", () => resolve());
    });
  }

  /** Connects as the case says; TLS that fails gives a visitor whose connection has ended. */
  static async connect(
    target: Target,
    lane: Lane,
    via: Via,
    words: Words,
    features: { h2: boolean },
  ): Promise<Visitor> {
    const proxied = via.proxy === true || via.tunnel !== undefined;
    const to =
      proxied && target.proxy !== undefined
        ? target.proxy
        : { address: addressOf(lane, via), port: lane.port };
    const raw = net.connect({
      host: to.address,
      port: to.port,
      noDelay: true,
      allowHalfOpen: true,
    });
    const refused = once(raw, "connect").then(
      () => false,
      () => true,
    );
    if (await refused) {
      const visitor = new Visitor(raw);
      visitor.ended = true;
      return visitor;
    }
    if (via.tunnel !== undefined && !(await askTunnel(raw, via, words))) return new Visitor(raw);
    if (lane.tls === undefined || via.tls === false || via.proxy === true) return new Visitor(raw);
    const serverName = via.serverName === undefined ? lane.name : via.serverName;
    const socket = tls.connect({
      socket: raw,
      servername: serverName === null ? "" : fillText(serverName, words),
      ...(lane.tls.ca === undefined || serverName === null
        ? { rejectUnauthorized: false }
        : { ca: lane.tls.ca }),
      ALPNProtocols: [...(via.alpn ?? (features.h2 ? ["h2"] : ["http/1.1"]))],
      ...(via.versions === undefined
        ? {}
        : {
            minVersion: via.versions[0],
            maxVersion: via.versions[1],
            ciphers: "DEFAULT:@SECLEVEL=0",
          }),
    });
    // Its error comes by `close` as well.
    socket.on("error", () => undefined);
    const secure = await Promise.race([
      new Promise<boolean>((resolve) => socket.once("secureConnect", () => resolve(true))),
      new Promise<boolean>((resolve) => socket.once("close", () => resolve(false))),
    ]);
    const visitor = new Visitor(socket);
    if (!secure) {
      visitor.ended = true;
      visitor.failedTls = true;
    }
    return visitor;
  }

  get got(): Buffer {
    const [first, ...more] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    if (more.length > 0) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? first;
  }

  /** What ALPN agreed on. */
  get protocol(): string {
    const { alpnProtocol } = this.#socket as TLSSocket;
    return typeof alpnProtocol === "string" ? alpnProtocol : "";
  }

  /** Resolves when it holds or nothing can come any more. */
  async when(holds: () => boolean): Promise<void> {
    // `holds` may look at large answers only now and then, so it is also asked without anything new.
    const again = setInterval(() => {
      this.#changed();
    }, 100);
    while (!holds() && !this.ended)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    clearInterval(again);
  }

  /** Does one step that needs no knowledge of the rest. */
  async do(step: Exclude<Step, { until: "answers" | "upstream" }>, words: Words): Promise<void> {
    const socket = this.#socket;
    if ("trickle" in step) {
      const bytes = fill(step.trickle, words);
      for (let at = 0; at < bytes.length && !this.ended; at += 1) {
        socket.write(bytes.subarray(at, at + 1));
        await delay(step.everyMs);
      }
    } else if ("send" in step) {
      const bytes = fill(step.send, words);
      for (let turn = 0; turn < (step.times ?? 1) && this.#writable; turn += 1) {
        if (!socket.write(bytes)) await this.#drained();
        if (step.everyMs !== undefined) await delay(step.everyMs);
      }
    } else if ("until" in step) {
      if (step.until === "drained") await this.#drained();
      else {
        const text = fillText(step.text, words);
        await this.when(() => this.got.includes(text, 0, "latin1"));
      }
    } else if (step.act === "pause") await Promise.race([delay(step.ms), this.gone]);
    else if (step.act === "half-close") socket.end();
    else if (step.act === "stop-reading") socket.pause();
    else if (step.act === "read-on") socket.resume();
    else if (step.act === "reset") {
      if (socket instanceof tls.TLSSocket) socket.destroy();
      else socket.resetAndDestroy();
    } else await this.#renegotiate();
  }

  /** Says that nothing more is coming; what is on its way still comes. */
  finish(): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.end();
  }

  leave(): void {
    this.#socket.destroy();
  }

  get #writable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  async #drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain && this.#socket.writableLength === 0) return;
    await Promise.race([
      new Promise<void>((resolve) => this.#socket.once("drain", () => resolve())),
      this.gone,
    ]);
  }

  async #renegotiate(): Promise<void> {
    const socket = this.#socket;
    if (!(socket instanceof tls.TLSSocket) || socket.destroyed) return;
    await Promise.race([
      new Promise<void>((resolve) => {
        socket.renegotiate({}, () => resolve());
      }),
      this.gone,
      delay(2000),
    ]);
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Whether the proxy has made the tunnel; whatever else came is put back. */
async function askTunnel(
  socket: Socket,
  { tunnel = "", behind = "" }: Via,
  words: Words,
): Promise<boolean> {
  const head = `CONNECT ${tunnel} HTTP/1.1\r\nHost: ${tunnel}\r\n{proxy-auth}\r\n${behind}`;
  socket.write(fill(head, words));
  socket.on("error", () => undefined);
  let got: Buffer = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    got = Buffer.concat([got, chunk as Buffer]);
    if (got.includes("\r\n\r\n")) break;
  }
  const made = got.toString("latin1").startsWith("HTTP/1.1 200 ");
  const rest = made ? got.subarray(got.indexOf("\r\n\r\n") + 4) : got;
  if (rest.length > 0) socket.unshift(rest);
  return made;
}

function addressOf(lane: Lane, via: Via): string {
  return (via.at === undefined ? undefined : lane.others[via.at]) ?? lane.address;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
