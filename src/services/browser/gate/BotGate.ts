import { randomInt } from "node:crypto";
import type { Server, Socket } from "node:net";
import { availableParallelism } from "node:os";
import type { Resolve } from "../../../broker/index.ts";
import {
  CONTROL_PORT,
  PROXY_PORT,
  type BrowserRules,
  type FromInside,
  type PageReply,
  type PageRequest,
  type RenderedPage,
  type ToInside,
} from "../messages.ts";
import { Call } from "./Call.ts";
import { checkTarget } from "./checkTarget.ts";
import { readLines } from "./LineReader.ts";
import { readFromInside } from "./readPage.ts";
import { failureOf } from "./failureOf.ts";
import { checkHost } from "./pinnedLookup.ts";
import { describeWebRefusal, isOutsideFailure, type WebRefusalCode } from "./WebRefusal.ts";
import { serveHandle, WebProxy } from "./WebProxy.ts";

/** Each takes two renderers, some 120 MB and a good part of a processor. */
const MOST_AT_ONCE = Math.min(4, Math.max(2, availableParallelism()));
const MOST_WAITING = 32;
/** Starting Chromium took 1.2 s here; a busy machine takes longer. */
const START_MS = 30_000;
/** What the program inside gets beyond a call's time for loading: reading, and a busy machine. */
const GRACE_MS = 20_000;
const IDLE_MS = 10 * 60_000;
/** A screenshot in base64, and the Markdown. */
const LONGEST_LINE = 32 * 1024 * 1024;

export interface BotGateOptions {
  readonly bot: string;
  readonly rules: BrowserRules;
  readonly certificate: { readonly chain: string; readonly key: string };
  /** Base64 of SHA-256 of the certificate's public key. */
  readonly spki: string;
  readonly executable: string;
  readonly resolve: Resolve;
  /** Has the bot's browser started in its wall; its listeners come by `addListener`. */
  readonly startBrowser: () => void;
  /** Has it ended, because it isn't needed or doesn't answer. */
  readonly stopBrowser: () => void;
}

type Outcome =
  | { readonly page: RenderedPage; readonly code?: undefined }
  | { readonly code: string; readonly message: string };

/** One bot's browser, seen from outside: its proxy, its orders, its running calls. */
export class BotGate {
  readonly #options: BotGateOptions;
  readonly #proxy: WebProxy;
  readonly #calls = new Map<string, Call>();
  readonly #answers = new Map<number, (outcome: Outcome) => void>();
  readonly #waiting: (() => void)[] = [];
  #servers: Server[] = [];
  #running = 0;
  #lastId = 0;
  #control: Socket | undefined;
  #ready: PromiseWithResolvers<Socket> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: BotGateOptions) {
    this.#options = options;
    const { certificate, resolve, rules } = options;
    this.#proxy = new WebProxy({
      certificate,
      resolve,
      callAt: (address) => this.#calls.get(address),
      networks: rules.networks,
      ca: rules.ca,
    });
  }

  /** Takes over a socket that was made in the browser's network. */
  addListener(port: number, family: 4 | 6, handle: { close(): void }): void {
    if (family === 4 && port === PROXY_PORT) {
      this.#servers.push(serveHandle(handle, (socket) => this.#proxy.accept(socket)));
    } else if (family === 4 && port === CONTROL_PORT) {
      const server = serveHandle(handle, (socket) => {
        // The program inside connects before there is a browser. Nobody else ever gets in.
        server.close();
        this.takeOrders(socket);
      });
      this.#servers.push(server);
    } else handle.close();
  }

  /** The browser has ended, whatever was running with it. */
  browserEnded(reason: string): void {
    for (const server of this.#servers) server.close();
    this.#servers = [];
    this.#control?.destroy();
    this.#control = undefined;
    clearTimeout(this.#idle);
    this.#ready?.reject(new Error(reason));
    this.#ready = undefined;
    for (const answer of this.#answers.values())
      answer({ code: "browser-ended", message: `the browser ended: ${reason}` });
    this.#answers.clear();
  }

  /** Cuts everything. */
  close(): void {
    this.browserEnded("the service is stopped");
    for (const call of this.#calls.values()) call.end();
    this.#proxy.close();
  }

  /** One page. Never rejects. */
  async open(request: PageRequest, signal: AbortSignal): Promise<PageReply> {
    const early = await this.#refuseEarly(request.url);
    if (early !== undefined) return replyRefused(early, request.url);
    if (this.#running >= MOST_AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING)
        return { end: "failed", code: "busy", message: "too many pages are being opened at once" };
      await new Promise<void>((go) => this.#waiting.push(go));
    } else this.#running += 1;
    clearTimeout(this.#idle);
    try {
      return await this.#render(request, signal);
    } finally {
      const next = this.#waiting.shift();
      if (next !== undefined) next();
      else this.#running -= 1;
      if (this.#running === 0)
        this.#idle = setTimeout(() => this.#options.stopBrowser(), IDLE_MS).unref();
    }
  }

  /** What can be said without a browser. Each request is looked at again when the page makes it. */
  async #refuseEarly(address: string): Promise<WebRefusalCode | undefined> {
    const { rules, resolve } = this.#options;
    const target = checkTarget(address, rules);
    if (typeof target === "string") return target;
    try {
      await checkHost(target.host, rules.networks, resolve);
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  }

  async #render(request: PageRequest, signal: AbortSignal): Promise<PageReply> {
    if (signal.aborted) return { end: "failed", code: "given-up", message: "nobody waits for it" };
    let control: Socket;
    try {
      control = await this.#browser();
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown";
      return { end: "failed", code: "no-browser", message: `no browser could be had: ${reason}` };
    }
    const { rules } = this.#options;
    const call = new Call(rules, () => stop({ code: "too-large", message: "" }));
    const address = this.#freeAddress();
    const id = ++this.#lastId;
    this.#calls.set(address, call);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#answers.set(id, resolve);
    const milliseconds = rules.seconds * 1000;
    const timer = setTimeout(() => {
      resolve({ code: "timeout", message: "the page took too long, and its browser was ended" });
      this.#options.stopBrowser();
    }, milliseconds + GRACE_MS);
    const stop = (outcome: Outcome): void => {
      call.end();
      this.#order(control, { type: "cancel", id });
      resolve(outcome);
    };
    const giveUp = (): void => stop({ code: "given-up", message: "nobody waits for it" });
    signal.addEventListener("abort", giveUp, { once: true });
    this.#order(control, { type: "render", id, address, milliseconds, request });
    try {
      return replyOf(await promise, call, request.url);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.#answers.delete(id);
      this.#calls.delete(address);
      call.end();
    }
  }

  async #browser(): Promise<Socket> {
    if (this.#control !== undefined) return this.#control;
    if (this.#ready === undefined) {
      this.#ready = Promise.withResolvers<Socket>();
      this.#ready.promise.catch(() => undefined);
      const pending = this.#ready;
      const timer = setTimeout(() => {
        pending.reject(new Error("it took too long to start"));
        if (this.#ready === pending) this.#options.stopBrowser();
      }, START_MS);
      pending.promise.finally(() => clearTimeout(timer)).catch(() => undefined);
      this.#options.startBrowser();
    }
    return this.#ready.promise;
  }

  /** The program inside is at the other end. */
  takeOrders(socket: Socket): void {
    socket.on("error", () => undefined);
    const { spki, executable } = this.#options;
    readLines(socket, LONGEST_LINE, (line) => {
      const said = readFromInside(line);
      if (said === undefined) this.#options.stopBrowser();
      else this.#hear(said, socket);
    });
    socket.once("close", () => {
      if (this.#control === socket) this.#options.stopBrowser();
    });
    this.#order(socket, { type: "hello", spki, executable });
  }

  #hear(said: FromInside, socket: Socket): void {
    switch (said.type) {
      case "ready":
        this.#control = socket;
        this.#ready?.resolve(socket);
        this.#ready = undefined;
        break;
      case "rendered":
        this.#answers.get(said.id)?.({ page: said.page });
        break;
      case "failed":
        this.#answers.get(said.id)?.({ code: said.code, message: said.message });
        break;
      default:
        said satisfies never;
    }
  }

  #order(socket: Socket, order: ToInside): void {
    socket.write(`${JSON.stringify(order)}\n`);
  }

  /** One of four million, so that one call's page doesn't come upon another's. */
  #freeAddress(): string {
    for (;;) {
      const address = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
      if (!this.#calls.has(address)) return address;
    }
  }
}

/** The gate's own refusal of the document is the answer, whatever the browser made of it. */
function replyOf(outcome: Outcome, call: Call, asked: string): PageReply {
  const { refused, bytes, requests } = call;
  const code = refusalOf(outcome, call, asked);
  if (code !== undefined) {
    const at = "page" in outcome ? outcome.page.url : outcome.message;
    return replyRefused(
      code,
      outcome.code === undefined || outcome.code === "page-refused" ? at : asked,
    );
  }
  if ("page" in outcome) return { end: "done", page: outcome.page, refused, bytes, requests };
  return { end: "failed", code: outcome.code, message: outcome.message };
}

function refusalOf(outcome: Outcome, call: Call, asked: string): WebRefusalCode | undefined {
  if ("page" in outcome) return call.codeOf(outcome.page.url);
  switch (outcome.code) {
    case "page-refused":
      return call.codeOf(outcome.message) ?? call.codeOf(asked) ?? call.refused.at(-1)?.code;
    case "no-page":
      return call.codeOf(asked) ?? call.refused.at(-1)?.code;
    case "download":
    case "too-large":
      return outcome.code;
    default:
      return undefined;
  }
}

function replyRefused(code: WebRefusalCode, address: string): PageReply {
  const message = `${describeWebRefusal(code)} (${address.slice(0, 300)})`;
  return { end: isOutsideFailure(code) ? "failed" : "refused", code, message };
}
