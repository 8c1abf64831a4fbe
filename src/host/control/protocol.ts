import type { Ask } from "../../broker/index.ts";
import type { SupervisorStatus } from "../status.ts";

/** What a command may ask of the running supervisor. One request a connection, a JSON line. */
export type ControlRequest =
  | { readonly verb: "status" }
  /** Put generation `generation` in force; progress is streamed. */
  | { readonly verb: "apply"; readonly generation: number; readonly passphrase?: string }
  | { readonly verb: "restart"; readonly bot?: string }
  /** What waits for the owner's word. */
  | { readonly verb: "asks" }
  /** The owner's word on one of these. */
  | {
      readonly verb: "answer";
      readonly id: string;
      readonly verdict: "allow" | "deny";
      readonly scope: "once" | "hour";
    }
  /** Secrets were changed: read them anew, for the next call. */
  | { readonly verb: "refresh-secrets" }
  | { readonly verb: "down" };

/** JSON lines back: any number of `progress`, then one of the others, then the connection ends. */
export type ControlReply =
  | { readonly kind: "progress"; readonly text: string }
  | { readonly kind: "status"; readonly status: SupervisorStatus }
  | { readonly kind: "asks"; readonly asks: readonly Ask[] }
  | { readonly kind: "done" }
  | { readonly kind: "error"; readonly error: ControlFailure };

/** An error on its way through the socket: what `SeawallError` holds, without the cause. */
export interface ControlFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly where?: string;
  readonly exitCode: number;
}

/** Written by the supervisor to `run/supervisor.json`, 0600: how to reach it. */
export interface ControlAddress {
  readonly pid: number;
  /** Name in the abstract namespace of Unix sockets: it leaves no file when its owner is killed. */
  readonly socket: string;
  /** Abstract sockets have no permissions, so every request begins with this. */
  readonly token: string;
}
