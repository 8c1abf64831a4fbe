import net from "node:net";
import { freePort } from "../../run/index.ts";
import { HostError } from "../HostError.ts";
import { closeHandle } from "../supervisor/launchMessages.ts";
import type { HeldListener } from "../supervisor/BrokerProcess.ts";

/** Ports of the host's 127.0.0.1 that belong to one bot without a network of its own. */
export interface SharedPort {
  /** The broker's explicit proxy for this bot alone. */
  readonly proxy: number;
  /** What the proxy wants to be told, since every process of the host gets to it. */
  readonly token: string;
  /** OpenClaw's own, behind the ingress. */
  readonly gateway: number;
}

interface Held {
  readonly ports: Omit<SharedPort, "token">;
  readonly listener: HeldListener;
}

/**
 * The same ports for a bot for as long as this process lives, so that a bot that nothing changes runs on.
 * The proxy's is bound by this process all the time: while the bot or the broker is away nobody else can take
 * it, and with it the bot's phantoms and token.
 */
export class SharedPorts {
  readonly #held = new Map<string, Held>();

  async take(bot: string): Promise<Omit<SharedPort, "token">> {
    const before = this.#held.get(bot);
    if (before !== undefined) return before.ports;
    const { handle, port } = boundHandle();
    const ports = { proxy: port, gateway: await freePort() };
    const message = { type: "listener", bot, protocol: "tcp", port, family: 4 } as const;
    this.#held.set(bot, { ports, listener: { message, handle } });
    return ports;
  }

  /** For the broker; stays this object's. */
  listeners(bot: string): readonly HeldListener[] {
    const held = this.#held.get(bot);
    return held === undefined ? [] : [held.listener];
  }

  close(): void {
    for (const { listener } of this.#held.values()) closeHandle(listener.handle);
    this.#held.clear();
  }
}

interface BoundHandle {
  getsockname(out: { port?: number }): number;
}

/**
 * A TCP handle that is bound and not listened on: that would make this process accept on it. What
 * node:cluster makes its shared handles with (lib/net.js, measured with Node 24.21); it isn't among the types.
 */
function boundHandle(): { readonly handle: unknown; readonly port: number } {
  const make = Reflect.get(net, "_createServerHandle") as (
    address: string,
    port: number,
    family: 4,
  ) => BoundHandle | number;
  const handle = make("127.0.0.1", 0, 4);
  if (typeof handle === "number")
    throw new HostError("port-taken", "no port of this host's loopback can be had", {
      hint: "look at: seawall logs --supervisor",
    });
  const name: { port?: number } = {};
  handle.getsockname(name);
  return { handle, port: name.port ?? 0 };
}
