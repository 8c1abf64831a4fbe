import { readFileSync } from "node:fs";
import type { Server } from "node:net";
import { BrokerError } from "../BrokerError.ts";
import { receiveSockets, type ReceivedSockets } from "../service/receiveSockets.ts";
import { Notify } from "../service/Notify.ts";
import { serveLines } from "../service/serveLines.ts";
import { Bridge } from "./Bridge.ts";
import { MOST_TEXT_BYTES } from "./BridgeEnd.ts";
import type { BridgeRules, BridgeServiceConfig } from "./BridgeServiceConfig.ts";
import { LocalBridge } from "./LocalBridge.ts";
import { LONGEST_WAIT_MS, readBridgeRequest } from "./readBridgeRequest.ts";

/** Each byte of a text escaped, and the rest of a request. */
const LONGEST = MOST_TEXT_BYTES * 6 + 16 * 1024;
/** Of one broker's, each perhaps waiting for a message. */
const MOST_CONNECTIONS = 32;

/**
 * The bridge where each bot has a broker of its own: a process with a socket for each of them. Which
 * bot a broker speaks for is said by the socket that only this broker's user may connect to. Both
 * grants are looked at here, too: a broker that was taken over writes as its own bot and to whom
 * that one may write, and reads what waits for its own.
 */
export class BridgeService {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #sockets: ReceivedSockets;
  readonly #notify: Notify;
  readonly #servers: Server[] = [];
  readonly #bridge: Bridge;

  constructor(env: Readonly<Record<string, string | undefined>>, pid: number) {
    this.#env = env;
    this.#sockets = receiveSockets(env, pid);
    this.#notify = new Notify(3 + [...this.#sockets.values()].flat().length);
    this.#bridge = new Bridge((warning) => {
      this.#notify.status(warning ?? "answering");
    });
  }

  /** @throws BrokerError `config-invalid` */
  start(): void {
    const { file, bots } = readConfig(this.#env["SEAWALL_BRIDGE_CONFIG"]);
    const rules = new Map(Object.entries(bots));
    if ([...this.#sockets.keys()].some((bot) => !rules.has(bot)))
      throw new BrokerError("config-invalid", "a socket is that of a bot without the bridge");
    // Told first, so that a warning about the file is what stands after it.
    this.#notify.ready();
    this.#bridge.open(file);
    for (const [bot, own] of rules) {
      const end = new LocalBridge(
        this.#bridge,
        (to, from) => (rules.get(from)?.to.includes(to) ?? false) && takes(rules.get(to), from),
      );
      for (const descriptor of this.#sockets.get(bot) ?? [])
        this.#servers.push(
          serveLines(descriptor, {
            longest: LONGEST,
            timeoutMs: LONGEST_WAIT_MS + 15_000,
            mostConnections: MOST_CONNECTIONS,
            answer: (request, signal) => answer(end, { bot, own, request, signal }),
          }),
        );
    }
    this.#notify.watchdog(this.#env["WATCHDOG_USEC"]);
  }

  /** What was told to somebody is on the disk; who waits for an answer gets none. */
  stop(): void {
    this.#notify.stopping();
    for (const server of this.#servers) server.close();
    this.#bridge.close();
  }
}

function takes(rules: BridgeRules | undefined, from: string): boolean {
  return rules !== undefined && (rules.from === undefined || rules.from.includes(from));
}

async function answer(
  end: LocalBridge,
  {
    bot,
    own,
    request,
    signal,
  }: {
    readonly bot: string;
    readonly own: BridgeRules;
    readonly request: unknown;
    readonly signal: AbortSignal;
  },
): Promise<object> {
  const known = readBridgeRequest(request);
  switch (known?.verb) {
    case undefined:
      return { ok: false };
    case "send":
      return { ok: true, value: await end.send(bot, known.letter) };
    case "receive": {
      const { most, waitMs } = known;
      return { ok: true, value: await end.receive(bot, { most, waitMs, signal }) };
    }
    case "acknowledge":
      return { ok: true, value: await end.acknowledge(bot, known.ids) };
    case "waiting":
      return { ok: true, value: await end.waiting(bot) };
    case "taking": {
      const named = known.bots.filter((each) => own.to.includes(each));
      return { ok: true, value: await end.taking(bot, named) };
    }
    default:
      return known satisfies never;
  }
}

function readConfig(file: string | undefined): BridgeServiceConfig {
  try {
    const config = JSON.parse(readFileSync(file ?? "", "utf8")) as BridgeServiceConfig;
    if (config.version === 1 && typeof config.file === "string") return config;
  } catch {
    // Below, like a file that says something else.
  }
  throw new BrokerError("config-invalid", "the bridge's configuration can't be read", {
    ...(file === undefined ? {} : { where: file }),
    hint: "apply the declaration anew with: seawall switch",
  });
}
