/** What came of a call. */
export type Outcome =
  /** Answered to the end, or passed through until both sides closed. */
  | "done"
  | "refused"
  /** The bot (or, at the ingress, the visitor) went away first. */
  | "client-abort"
  /** The other side failed or closed in the middle. */
  | "upstream-error"
  /** The broker was told to stop while the call ran. */
  | "stopped"
  /** The broker died while the call ran; written by the next one. */
  | "broker-crash"
  | "internal-error";

/** What is known when a call begins. */
export interface AuditStart {
  readonly bot: string;
  /** `call` HTTP with a credential's rules, `tunnel` passed through, `connect` refused before that, `dns` a refused question, `ingress` from outside to the gateway, `mint` a credential made for a call, `command` a client command that is no call. */
  readonly kind: "call" | "tunnel" | "connect" | "dns" | "ingress" | "mint" | "command";
  readonly grant?: string;
  /** For `mint`: the name of what was made. */
  readonly secret?: string;
  /** `name:port`, or `address:port` where no name is known. */
  readonly host?: string;
  readonly method?: string;
  /** Credential as `{secret}`, phantoms as `{phantom}`, query values left out. */
  readonly path?: string;
  /** Of the bot's side: `1.1`, `2`. */
  readonly httpVersion?: string;
  /** The rule that allowed it, asked about it or denied it. */
  readonly rule?: string;
}

/** What is known when it has ended. */
export interface AuditEnd {
  readonly outcome: Outcome;
  /** Why, when it was refused or failed. */
  readonly code?: string;
  readonly status?: number;
  /** Body bytes towards the destination and back; for a tunnel all bytes. */
  readonly bytesOut?: number;
  readonly bytesIn?: number;
  /** How many alike this one line stands for, when more than one. */
  readonly count?: number;
  /** A rule said to ask, and this is whose word let it pass: now, or within the hour before. */
  readonly approvedBy?: "owner" | "hour";
  /** Of a model service, as its reply says. */
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  /** The reply didn't tell its tokens: they are guessed from its size. */
  readonly tokensEstimated?: true;
  /** Millionths of a dollar, by the price table. */
  readonly microdollars?: number;
  /** Waited for the owner's word. */
  readonly waitMs?: number;
  /** Until the host was connected to, TLS included; absent on a connection that was open already. */
  readonly connectMs?: number;
  /** From being forwarded, connecting included, to the head of the host's reply. */
  readonly firstByteMs?: number;
}

/** What the broker says of one call. */
export type AuditRecord = AuditStart &
  AuditEnd & {
    /** When it began, ISO 8601 in UTC. */
    readonly time: string;
    readonly id: string;
    readonly decision: "allow" | "refuse";
    readonly durationMs: number;
  };
