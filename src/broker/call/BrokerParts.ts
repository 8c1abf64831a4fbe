import type { Socket } from "node:net";
import type { Audit } from "../audit/Audit.ts";
import type { RepeatFilter } from "../audit/RepeatFilter.ts";
import type { Deployment } from "../Deployment.ts";
import type { Resolve } from "../dial/Destination.ts";
import type { BridgeEnd } from "../bridge/BridgeEnd.ts";
import type { BodyRooms } from "../body/BodyRooms.ts";
import type { UpstreamPools } from "../dial/UpstreamPools.ts";
import type { Gate } from "../gate/Gate.ts";
import type { Connection } from "./handleCall.ts";
import type { UnknownHosts } from "../gate/UnknownHosts.ts";
import type { ProxyConnection } from "../proxy/serveProxy.ts";
import type { Minter } from "../mint/Minter.ts";
import type { FromBroker } from "../protocol.ts";
import type { TlsEnd } from "../tls/TlsEnd.ts";
import type { KnownCalls } from "./KnownCalls.ts";
import type { RunningCalls } from "./RunningCalls.ts";

/** What is in force once a configuration was accepted; replaced as one. */
export interface InForce {
  readonly deployment: Deployment;
  readonly audit: Audit;
  /** By bot, for those that have TLS ended. */
  readonly tls: ReadonlyMap<string, TlsEnd>;
}

/** What the steps of a call work with. `inForce` is read anew for each call, so a change holds from the next one on. */
export interface BrokerParts {
  inForce(): InForce | undefined;
  readonly repeats: RepeatFilter;
  readonly gate: Gate;
  readonly running: RunningCalls;
  readonly bodies: BodyRooms;
  readonly unknown: UnknownHosts;
  readonly pools: UpstreamPools;
  readonly known: KnownCalls;
  readonly minter: Minter;
  readonly resolve: Resolve;
  /** Takes a connection over on which HTTP requests come, TLS ended. */
  take(socket: Socket, connection: Connection): void;
  /** Takes a connection over at which the broker is an explicit proxy. */
  takeProxied(socket: Socket, connection: ProxyConnection): void;
  /** A connection to the program of a grant's service, which the supervisor starts; `undefined` when there is none. */
  dialProgram(bot: string, grant: string): Promise<Socket | undefined>;
  /** What bots wrote to each other and have not taken yet. */
  readonly bridge: BridgeEnd;
  /** Bounds, in milliseconds. */
  readonly timeouts: {
    readonly clientHello: number;
    readonly connect: number;
    readonly head: number;
    /** Asking a token endpoint. */
    readonly mint: number;
    /** Telling the owner in a chat. */
    readonly notify: number;
  };
  /** Keys of the warnings that stand with the supervisor. */
  readonly warned: Set<string>;
  send(message: FromBroker): void;
}
