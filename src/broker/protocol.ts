import type { BrokerConfig } from "./BrokerConfig.ts";

/**
 * Messages between the supervisor and the broker over Node's IPC channel. Handles travel as raw
 * libuv handles (`net.Native`, `dgram.Native`), so the supervisor keeps its own copy of each
 * listener without ever accepting on it, and a restarted broker gets the same sockets again.
 */
export type ToBroker =
  /** First message, and again whenever the plan changes; answered by `configured` or `refused`. */
  | { readonly type: "configure"; readonly config: BrokerConfig }
  /** Comes with a handle: a socket made inside the bot's namespace. UDP is always DNS. */
  | {
      readonly type: "listener";
      readonly bot: string;
      readonly protocol: "tcp" | "udp";
      readonly port: number;
      readonly family: 4 | 6;
    }
  /** The bot's namespace has gone: close its listeners and cut its calls. */
  | { readonly type: "drop"; readonly bot: string }
  /** Answer to `dial-gateway`. Comes with a connected socket unless `error` is set. */
  | { readonly type: "gateway-connection"; readonly id: number; readonly error?: string }
  /** Finish what runs, at most for `graceMs`, then exit 0. */
  | { readonly type: "stop"; readonly graceMs: number };

export type FromBroker =
  /** The process is up and waits for `configure`. */
  | { readonly type: "started" }
  | { readonly type: "configured" }
  /** The configuration can't be used (vault locked, a secret missing, port taken). The one before it stays in force. */
  | {
      readonly type: "refused";
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    }
  /** The ingress wants a connection to the gateway inside the bot's namespace. */
  | { readonly type: "dial-gateway"; readonly bot: string; readonly id: number }
  /** Shown by `status` until `clear`. */
  | {
      readonly type: "health";
      readonly key: string;
      readonly warning: string;
      readonly remedy?: string;
    }
  | { readonly type: "health-clear"; readonly key: string };
