import type { Socket } from "node:net";
import type { Json, JsonObject } from "../../plan/index.ts";
import type { BrokerParts } from "../call/BrokerParts.ts";
import type { ByteSource } from "../http/ByteSource.ts";
import type { VisitHead } from "../http/Visit.ts";
import type { FetchEnd } from "./fetchPublic.ts";
import type { BrokerGrant } from "../BrokerConfig.ts";

/** What an agent asked of a client command, its input checked against the operation. */
export interface HandledRequest {
  /** Whose socket it came by, so it is the sender whatever the message says. */
  readonly bot: string;
  readonly grant: BrokerGrant;
  readonly operation: string;
  readonly input: JsonObject;
  /** What came on standard input; `undefined` where nothing did. */
  readonly body: ByteSource | undefined;
}

/** What a handler works with. */
export interface HandlerTools {
  /** What is in force, and what outlives one use: the bridge's queue, the room for bodies. */
  readonly parts: Pick<BrokerParts, "inForce" | "bridge" | "bodies">;
  /** Aborts when the client has gone, its time is up, or the grant was withdrawn. */
  readonly signal: AbortSignal;
  /** Passes bytes to the client's standard output; `false` when it has gone. Awaited, it goes at the reader's pace. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** One HTTP call as the bot's own by this grant: rules, secret, redaction, record. */
  call(request: HandlerCall): Promise<HandlerReply>;
  /** Fetches what the service pointed to, by HTTPS from a public address and without credential, to standard output. */
  fetchPublic(url: string, mostBytes: number): Promise<FetchEnd>;
  /** A connection to the service's program outside (the supervisor starts it); `undefined` when there is none. */
  dialProgram(): Promise<Socket | undefined>;
}

export interface HandlerCall {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly host?: string;
  readonly headers?: VisitHead["headers"];
  readonly body?: Uint8Array;
  /** By a rule for calls without the credential. */
  readonly anonymous?: boolean;
  /** A longer answer is cut there and fails. */
  readonly mostBytes: number;
  /** How long the service may say nothing, where it needs more than two minutes to think. */
  readonly idleMs?: number;
}

export interface HandlerReply {
  readonly status: number;
  readonly headers: VisitHead["headers"];
  readonly body: Buffer;
  /** The broker's own refusal, if it was one. */
  readonly refused?: string;
}

/** How it ended. `done` without `value` has written its own answer. */
export type HandlerEnd =
  | { readonly end: "done"; readonly value?: Json }
  /** Something outside failed: exit 5. */
  | { readonly end: "failed"; readonly code: string; readonly message: string }
  /** The grant doesn't allow it: exit 3; `rule` names what refused. */
  | {
      readonly end: "refused";
      readonly code: string;
      readonly message: string;
      readonly rule?: string;
    }
  /** The agent asked in a way that can't be: exit 2. */
  | { readonly end: "usage"; readonly message: string };

/** A service that is code of the broker's own. One file each in `handlers/`, and a line in its index. */
export interface CommandHandler {
  readonly name: string;
  /** What the record says as `host`: `name:port` of the place that is asked for by the input. */
  hostOf?(input: JsonObject): string | undefined;
  run(request: HandledRequest, tools: HandlerTools): Promise<HandlerEnd>;
}
