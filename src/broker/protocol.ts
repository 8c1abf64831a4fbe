import type { StoreRequest, StoreResult } from "../secrets/index.ts";
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
  /** Comes with a handle: the Unix socket for client commands, made inside the bot's mounts. Nobody listens on it yet. */
  | {
      readonly type: "listener";
      readonly bot: string;
      readonly protocol: "unix";
      /** The one user whose processes may connect, as this process sees it. */
      readonly uid: number;
    }
  /** The bot's namespace has gone: close its listeners and cut its calls. */
  | { readonly type: "drop"; readonly bot: string }
  /** Answer to `dial-gateway` and `dial-program`. Comes with a connected socket unless `error` is set. */
  | { readonly type: "gateway-connection"; readonly id: number; readonly error?: string }
  /** The owner's word on an `ask`. `hour`: also for all alike (bot, grant, rule, host) until an hour has passed. */
  | {
      readonly type: "answer";
      readonly id: string;
      readonly verdict: "allow" | "deny";
      readonly scope: "once" | "hour";
    }
  /** Answer to `read-secrets`: sealed, so that only the broker can read them. */
  | { readonly type: "secrets-read"; readonly id: number; readonly results: readonly StoreResult[] }
  /** Read every secret anew, since one was changed; answered by `secrets-refreshed`. */
  | { readonly type: "refresh-secrets"; readonly id: number }
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
  /** Values are needed from stores that only a process outside of the broker's wall can read. */
  | { readonly type: "read-secrets"; readonly id: number; readonly request: StoreRequest }
  | { readonly type: "secrets-refreshed"; readonly id: number }
  /** The ingress wants a connection to the gateway inside the bot's namespace. */
  | { readonly type: "dial-gateway"; readonly bot: string; readonly id: number }
  /** A command wants a connection to its service's program outside, which the supervisor starts. */
  | {
      readonly type: "dial-program";
      readonly bot: string;
      readonly grant: string;
      readonly id: number;
    }
  /** A call waits for the owner's word, until `until` at the latest; no answer is no. */
  | { readonly type: "ask"; readonly ask: Ask }
  /** It waits no more: answered, given up by the bot, or too late. */
  | { readonly type: "ask-settled"; readonly id: string }
  /** Shown by `status` until `clear`. */
  | {
      readonly type: "health";
      readonly key: string;
      readonly warning: string;
      readonly remedy?: string;
    }
  | { readonly type: "health-clear"; readonly key: string };

/** What the owner is asked. Nothing in it is secret; `detail` is what the bot wrote, made printable and short. */
export interface Ask {
  readonly id: string;
  readonly bot: string;
  /** Absent when the host is one that no grant has. */
  readonly grant?: string;
  /** `name:port`. */
  readonly host: string;
  readonly method?: string;
  readonly path?: string;
  /** The rule that says to ask, or `unknown-host`, or `link`. */
  readonly rule: string;
  readonly detail?: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
  readonly until: string;
}
