import { createHash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { systemResolve, type Resolve } from "../../../broker/index.ts";
import type { BrowserRules, FromGate, PageReply, PageRequest, ToGate } from "../messages.ts";
import { BotGate } from "./BotGate.ts";
import { readLines } from "./LineReader.ts";
import { readRequest } from "./readRequest.ts";

const LONGEST_REQUEST = 64 * 1024;

interface Known {
  readonly rules: BrowserRules;
  readonly gate: BotGate;
}

/** The service itself: every bot's browser, and who asks for pages. */
export class Gate {
  readonly #send: (message: FromGate) => void;
  readonly #resolve: Resolve;
  #bots = new Map<string, Known>();

  constructor(send: (message: FromGate) => void, resolve: Resolve = systemResolve()) {
    this.#send = send;
    this.#resolve = resolve;
  }

  receive(message: ToGate, handle?: unknown): void {
    switch (message.type) {
      case "configure":
        this.#configure(message);
        this.#send({ type: "configured" });
        break;
      case "listener": {
        const listener = handle as { close(): void };
        const known = this.#bots.get(message.bot);
        if (known === undefined) listener.close();
        else known.gate.addListener(message.port, message.family, listener);
        break;
      }
      case "browser-ended":
        this.#bots.get(message.bot)?.gate.browserEnded(message.reason);
        break;
      case "call":
        this.#serve(message.bot, handle as Socket);
        break;
      case "stop":
        for (const { gate } of this.#bots.values()) gate.close();
        this.#bots.clear();
        break;
      default:
        message satisfies never;
    }
  }

  /** A bot whose rules stay keeps its browser; the others' calls are cut. */
  #configure({ bots, certificate, executable }: Extract<ToGate, { type: "configure" }>): void {
    const { publicKey } = new X509Certificate(certificate.chain);
    const der = publicKey.export({ type: "spki", format: "der" });
    const spki = createHash("sha256").update(der).digest("base64");
    const next = new Map<string, Known>();
    for (const { bot, rules } of bots) {
      const known = this.#bots.get(bot);
      if (known !== undefined && isDeepStrictEqual(known.rules, rules)) {
        next.set(bot, known);
        continue;
      }
      const gate = new BotGate({
        bot,
        rules,
        certificate,
        spki,
        executable,
        resolve: this.#resolve,
        startBrowser: () => this.#send({ type: "start-browser", bot }),
        stopBrowser: () => this.#send({ type: "stop-browser", bot }),
      });
      next.set(bot, { rules, gate });
    }
    for (const [bot, known] of this.#bots) {
      if (next.get(bot) === known) continue;
      known.gate.close();
      this.#send({ type: "stop-browser", bot });
    }
    this.#bots = next;
  }

  /** One line asks, one line answers; whoever hangs up has given up. */
  #serve(bot: string, socket: Socket): void {
    const gone = new AbortController();
    socket.on("error", () => undefined);
    socket.once("close", () => gone.abort());
    let asked = false;
    readLines(socket, LONGEST_REQUEST, (line) => {
      if (asked) return;
      asked = true;
      void Promise.resolve(this.#answer(bot, line, gone.signal)).then((reply) => {
        socket.end(`${JSON.stringify(reply)}\n`);
      });
    });
  }

  /** A bot's browser is at the other end of this connection. */
  takeOrders(bot: string, socket: Socket): void {
    const known = this.#bots.get(bot);
    if (known === undefined) socket.destroy();
    else known.gate.takeOrders(socket);
  }

  #answer(bot: string, line: string, signal: AbortSignal): PageReply | Promise<PageReply> {
    const request = readRequest(line);
    if (request === undefined)
      return { end: "failed", code: "bad-request", message: "the request can't be read" };
    return this.open(bot, request, signal);
  }

  /** One page for one bot. Never rejects. */
  async open(bot: string, request: PageRequest, signal: AbortSignal): Promise<PageReply> {
    const known = this.#bots.get(bot);
    if (known === undefined)
      return { end: "refused", code: "not-granted", message: "this bot has no browser" };
    return known.gate.open(request, signal);
  }
}
