import { readFileSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { openServiceStores } from "../../secrets/index.ts";
import { Broker } from "../Broker.ts";
import { BrokerError } from "../BrokerError.ts";
import type { RawHandle } from "../listeners/Listeners.ts";
import type { Ask, FromBroker } from "../protocol.ts";
import { Notify } from "./Notify.ts";
import { receiveSockets, type ReceivedSockets } from "./receiveSockets.ts";
import { readAsks } from "./readAsks.ts";
import { serveControl } from "./serveControl.ts";
import { serveLines } from "./serveLines.ts";
import { Teller } from "./Teller.ts";
import type { ControlRequest, ServiceConfig } from "./ServiceConfig.ts";

const DIAL_MS = 10_000;

/**
 * As whom a process without root's rights that isn't the broker's is seen in the broker's user namespace,
 * which has these two only (systemd.exec(5), PrivateUsers=; user_namespaces(7)). The socket's mode lets
 * nobody but the bot and root connect, and its folder is shown to the bot alone.
 */
const SOMEBODY = 65_534;

/** Sockets by which other bots' brokers say what waits with them: their names go on with that bot's. */
const TOLD = "tell.";
/** As many as a bot may ask in vain (gate/Asks), and its broker was perhaps taken over. */
const MOST_TOLD = 32;
const TOLD_MS = 10 * 60_000;
const LONGEST_TOLD = 1024 * 1024;

type Outcome = Extract<FromBroker, { type: "configured" | "refused" }>;
type Warning = Extract<FromBroker, { type: "health" }>;

/**
 * A broker without a supervisor: sockets from systemd, configuration from a file, secrets from the
 * unit's credentials, and what the owner says over a socket of root's.
 */
export class BrokerService {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #sockets: ReceivedSockets;
  readonly #notify: Notify;
  readonly #broker: Broker;
  readonly #health = new Map<string, Warning>();
  readonly #asks = new Map<string, Ask>();
  readonly #teller: Teller;
  #config: ServiceConfig | undefined;
  #answer: ((outcome: Outcome) => void) | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(env: Readonly<Record<string, string | undefined>>, pid: number) {
    this.#env = env;
    this.#sockets = receiveSockets(env, pid);
    this.#notify = new Notify(3 + [...this.#sockets.values()].flat().length);
    this.#teller = new Teller({
      sockets: () => this.#config?.tell ?? [],
      stillWaits: (id) => this.#asks.has(id),
      health: (way, why) => this.#noteWay(way, why),
    });
    this.#broker = new Broker({
      send: (message) => this.#receive(message),
      openStores: (config) =>
        openServiceStores({
          vault: config.vault,
          directory: env["CREDENTIALS_DIRECTORY"],
          onHealth: (health) => this.#receive(health),
        }),
      dialGateway: () => this.#dial(this.#config?.gateway),
      dialProgram: () => this.#dial(this.#config?.browser),
      ingressSocket: () => this.#socket("ingress"),
      metricsSocket: () => this.#socket("metrics"),
      bridgeSocket: () => this.#config?.bridge,
    });
  }

  /** @throws BrokerError, or what the broker refused the configuration for. */
  async start(): Promise<void> {
    const config = readConfig(this.#env["SEAWALL_BROKER_CONFIG"]);
    const descriptors = this.#sockets.get("bot") ?? [];
    if (descriptors.length !== config.sockets.length) {
      throw new BrokerError(
        "config-invalid",
        "the bot's sockets aren't those of its configuration",
      );
    }
    for (const [index, socket] of config.sockets.entries()) {
      // What net.Server.listen() and dgram.Socket.bind() take in place of a handle of their own.
      const handle: RawHandle & { readonly fd: number | undefined } = {
        fd: descriptors[index],
        close: () => undefined,
      };
      void this.#broker.receive({ type: "listener", bot: config.bot, ...socket }, handle);
    }
    const commands = this.#socket("command");
    if (commands !== undefined) {
      const handle: RawHandle & { readonly fd: number } = { fd: commands, close: () => undefined };
      const { bot } = config;
      void this.#broker.receive({ type: "listener", bot, protocol: "unix", uid: SOMEBODY }, handle);
    }
    const outcome = await this.#configure(config);
    if (outcome.type === "refused") {
      throw new BrokerError(
        "config-invalid",
        outcome.message,
        outcome.hint === undefined ? {} : { hint: outcome.hint },
      );
    }
    for (const [name, [descriptor]] of this.#sockets)
      if (name.startsWith(TOLD) && descriptor !== undefined)
        this.#beTold(descriptor, name.slice(TOLD.length));
    const control = this.#socket("control");
    if (control !== undefined) serveControl(control, (request) => this.#control(request));
    this.#notify.ready();
    this.#notify.watchdog(this.#env["WATCHDOG_USEC"]);
  }

  async stop(graceMs: number): Promise<void> {
    this.#notify.stopping();
    await this.#broker.receive({ type: "stop", graceMs });
  }

  abandon(): void {
    this.#broker.abandon("broker-crash");
  }

  #socket(name: string): number | undefined {
    return this.#sockets.get(name)?.[0];
  }

  async #control(request: ControlRequest): Promise<object> {
    switch (request.verb) {
      case "status":
        return {
          ok: true,
          id: this.#config?.id,
          bot: this.#config?.bot,
          asks: [...this.#asks.values()],
          health: [...this.#health.values()].map(({ key, warning, remedy }) => ({
            key,
            warning,
            ...(remedy === undefined ? {} : { remedy }),
          })),
        };
      case "configure": {
        const same = shapeOf(request.config) === shapeOf(this.#config);
        if (!same) return { ok: false, code: "restart", message: "other sockets need a restart" };
        const outcome = await this.#configure(request.config);
        return outcome.type === "configured" ? { ok: true } : { ok: false, ...outcome };
      }
      case "answer": {
        const { id, verdict, scope } = request;
        // Not waiting any more as soon as it is answered, whenever the broker says so.
        const waited = this.#asks.delete(id);
        if (waited) await this.#broker.receive({ type: "answer", id, verdict, scope });
        return { ok: waited };
      }
      default:
        return request satisfies never;
    }
  }

  /** One after the other; which is in force is known by the broker's answer. */
  #configure(config: ServiceConfig): Promise<Outcome> {
    const mine = this.#turn.then(async () => {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      this.#answer = resolve;
      await this.#broker.receive({ type: "configure", config: config.broker });
      const outcome = await promise;
      if (outcome.type === "configured") this.#config = config;
      return outcome;
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  #receive(message: FromBroker): void {
    switch (message.type) {
      case "configured":
      case "refused":
        this.#answer?.(message);
        break;
      case "health":
        this.#health.set(message.key, message);
        this.#tellStatus();
        break;
      case "health-clear":
        this.#health.delete(message.key);
        this.#tellStatus();
        break;
      case "ask":
        this.#asks.set(message.ask.id, message.ask);
        this.#tell(message.ask);
        this.#tellStatus();
        break;
      case "ask-settled":
        this.#asks.delete(message.id);
        this.#tellStatus();
        break;
      case "dial-program":
      case "started":
      case "dial-gateway":
      case "read-secrets":
      case "secrets-refreshed":
        break;
    }
  }

  #tell(ask: Ask): void {
    const shown = this.#broker.shown(ask);
    if (shown !== undefined) this.#teller.tell(shown);
  }

  #noteWay(way: string, why: string | undefined): void {
    const key = `notify:${way}`;
    if (why === undefined) {
      if (this.#health.has(key)) this.#receive({ type: "health-clear", key });
      return;
    }
    this.#receive({
      type: "health",
      key,
      warning: `you could not be told by ${way} that a call waits: ${why}`,
      remedy: "see what waits with: seawall approve",
    });
  }

  /** Another bot's broker, whose user alone gets to this socket, says what the chats of this one are to tell. */
  #beTold(descriptor: number, bot: string): void {
    let left = MOST_TOLD;
    setInterval(() => (left = MOST_TOLD), TOLD_MS).unref();
    serveLines(descriptor, {
      longest: LONGEST_TOLD,
      timeoutMs: DIAL_MS,
      mostConnections: 4,
      answer: (request) => {
        for (const ask of readAsks(request, bot)) {
          left -= 1;
          if (left >= 0) this.#broker.tell(ask);
        }
        return Promise.resolve({ ok: true });
      },
    });
  }

  #tellStatus(): void {
    const [warning] = this.#health.values();
    const waiting = this.#asks.size === 0 ? "" : `, ${this.#asks.size} waiting for your word`;
    this.#notify.status(`${warning?.warning ?? "answering"}${waiting}`);
    if (warning !== undefined) writeSync(2, `warning: ${warning.warning}\n`);
  }

  #dial(path: string | undefined): Promise<Socket | undefined> {
    if (path === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const socket = connect({ path, allowHalfOpen: true });
      const fail = (): void => {
        socket.destroy();
        resolve(undefined);
      };
      socket.setTimeout(DIAL_MS, fail);
      socket.once("error", fail);
      socket.once("connect", () => {
        socket.setTimeout(0);
        socket.off("error", fail);
        resolve(socket);
      });
    });
  }
}

/** What another configuration must not change while it runs. */
function shapeOf(config: ServiceConfig | undefined): string {
  const { bot, sockets, gateway, bridge, browser } = config ?? {};
  return JSON.stringify([bot, sockets, gateway, bridge, browser]);
}

function readConfig(file: string | undefined): ServiceConfig {
  try {
    const config = JSON.parse(readFileSync(file ?? "", "utf8")) as ServiceConfig;
    if (config.version === 1 && typeof config.bot === "string") return config;
  } catch {
    // Below like a file that says something else; never a piece of it, which may be a phantom.
  }
  throw new BrokerError("config-invalid", "the broker's configuration can't be read", {
    ...(file === undefined ? {} : { where: file }),
    hint: "apply the declaration anew with: seawall switch",
  });
}
