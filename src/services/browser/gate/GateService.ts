import { readFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import {
  BrokerError,
  Notify,
  receiveSockets,
  type ReceivedSockets,
} from "../../../broker/index.ts";
import { PROXY_PORT, type FromGate } from "../messages.ts";
import { Gate } from "./Gate.ts";
import type { GateServiceConfig } from "./GateServiceConfig.ts";

/** Of one bot's broker, which bounds them by the grant. */
const MOST_CALLS = 64;
/** The browser before may still be about to end. */
const TRIES = 30;
const PAUSE_MS = 100;
const LAST_WORDS_MS = 2_000;

/**
 * The gate before one bot's browser without a supervisor: sockets from systemd, rules from a file. A
 * browser is started by connecting to a socket of its unit's, and that connection is the line by which it
 * gets its orders. It is ended by the gate's own end, with which systemd stops it (`BindsTo=`): what a page
 * has taken over can't be asked to go. Both come again with the next call.
 */
export class GateService {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #sockets: ReceivedSockets;
  readonly #notify: Notify;
  readonly #end: () => void;
  readonly #gate: Gate;
  readonly #calls = new Set<Socket>();
  #server: Server | undefined;
  #config: GateServiceConfig | undefined;
  #ending = false;

  /** @param end ends this process. */
  constructor(env: Readonly<Record<string, string | undefined>>, pid: number, end: () => void) {
    this.#env = env;
    this.#sockets = receiveSockets(env, pid);
    this.#notify = new Notify(3 + [...this.#sockets.values()].flat().length);
    this.#end = end;
    this.#gate = new Gate((message) => this.#hear(message));
  }

  /** @throws BrokerError `config-invalid` */
  start(): void {
    const config = readConfig(this.#env["SEAWALL_GATE_CONFIG"]);
    const { bot, rules, certificate, executable } = config;
    const [call] = this.#sockets.get("call") ?? [];
    const [proxy] = this.#sockets.get("proxy") ?? [];
    if (call === undefined || proxy === undefined)
      throw new BrokerError("config-invalid", "a socket is missing");
    this.#config = config;
    this.#gate.receive({ type: "configure", bots: [{ bot, rules }], certificate, executable });
    this.#gate.receive(
      { type: "listener", bot, protocol: "tcp", port: PROXY_PORT, family: 4 },
      // What net.Server.listen() takes in place of a handle of its own.
      { fd: proxy, close: () => undefined },
    );
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket));
    this.#server.maxConnections = MOST_CALLS;
    this.#server.listen({ fd: call });
    this.#notify.ready();
    this.#notify.watchdog(this.#env["WATCHDOG_USEC"]);
  }

  /** Who waits gets an answer; then it ends, and the browser with it. */
  async stop(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#notify.stopping();
    this.#server?.close();
    this.#gate.receive({ type: "stop" });
    const over = new AbortController();
    const answered = Promise.all(
      [...this.#calls].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
    await Promise.race([answered, wait(LAST_WORDS_MS, undefined, { signal: over.signal })]);
    over.abort();
    this.#end();
  }

  #take(socket: Socket): void {
    this.#calls.add(socket);
    socket.once("close", () => this.#calls.delete(socket));
    const { bot = "" } = this.#config ?? {};
    this.#gate.receive({ type: "call", bot }, socket);
  }

  #hear(message: FromGate): void {
    switch (message.type) {
      case "started":
      case "configured":
        break;
      case "start-browser":
        void this.#start(message.bot);
        break;
      case "stop-browser":
        void this.stop();
        break;
      default:
        message satisfies never;
    }
  }

  async #start(bot: string): Promise<void> {
    const path = this.#config?.browser ?? "";
    for (let tries = 0; tries < TRIES && !this.#ending; tries++) {
      const socket = await lineTo(path);
      if (socket !== undefined) {
        this.#gate.takeOrders(bot, socket);
        return;
      }
      await wait(PAUSE_MS);
    }
    this.#gate.receive({ type: "browser-ended", bot, reason: "it was not started" });
    await this.stop();
  }
}

/** A connection that is still there a moment later: one too many is closed at once (systemd.socket(5)). */
function lineTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const fail = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(() => {
      socket.off("close", fail);
      resolve(socket);
    }, PAUSE_MS);
    socket.on("error", fail);
    socket.once("close", fail);
    socket.resume();
  });
}

function readConfig(file: string | undefined): GateServiceConfig {
  try {
    const config = JSON.parse(readFileSync(file ?? "", "utf8")) as GateServiceConfig;
    if (config.version === 1 && typeof config.bot === "string") return config;
  } catch {
    // Below, like a file that says something else.
  }
  throw new BrokerError("config-invalid", "the gate's configuration can't be read", {
    ...(file === undefined ? {} : { where: file }),
    hint: "apply the declaration anew with: seawall switch",
  });
}
