import type { BrokerConfig } from "../BrokerConfig.ts";

/**
 * What a broker started by systemd reads from the file that `SEAWALL_BROKER_CONFIG` names. Like
 * BrokerConfig it holds phantoms, a leaf's key and a token, and no real secret: those come as
 * credentials of the unit.
 */
export interface ServiceConfig {
  readonly version: 1;
  /** Tells one configuration from another; `status` repeats it. */
  readonly id: string;
  /** The one bot this broker is for. */
  readonly bot: string;
  /** The sockets named `bot`, in the order of the socket unit. UDP is always DNS. */
  readonly sockets: readonly ServiceSocket[];
  /** Unix socket behind which something connects to the gateway inside. */
  readonly gateway: string;
  /** Unix socket of the bridge to other bots, for one that has it. */
  readonly bridge?: string;
  /** Unix socket of the gate before its browser, for one that has it. */
  readonly browser?: string;
  /** Who is told of calls that wait, besides by this broker's own chats. */
  readonly tell?: readonly TellSocket[];
  readonly broker: BrokerConfig;
}

/** A Unix socket behind which the owner is told. */
export interface TellSocket {
  /** For people: `telegram of herald`. */
  readonly way: string;
  readonly path: string;
  readonly to: "broker" | "program";
}

export interface ServiceSocket {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly family: 4 | 6;
}

/** What comes over the control socket, one JSON line; the answer is one JSON line. Root's alone. */
export type ControlRequest =
  | { readonly verb: "status" }
  /** Puts another configuration in force for the next call; the one before stays if it is refused. */
  | { readonly verb: "configure"; readonly config: ServiceConfig }
  | {
      readonly verb: "answer";
      readonly id: string;
      readonly verdict: "allow" | "deny";
      readonly scope: "once" | "hour";
    };
