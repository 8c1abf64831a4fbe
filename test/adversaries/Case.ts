/**
 * What a case is: hostile bytes, and what must hold whatever is done with them. Cases are data and
 * say nothing about a product: they are judged by what reaches the real server behind the target and
 * by what its client gets.
 *
 * In texts, `{word}` stands for what the target says it is: `{host}` (value of the Host header),
 * `{name}` (the same without port), `{phantom}` (what the client sends as its credential), `{secret}`
 * (what must arrive in its place), `{other-phantom}` (of another service), `{foreign-phantom}` (of
 * another client), `{other-host}`, `{other-name}`, `{id}` (new for each run of a case), and what
 * `words.ts` derives from these (`{secret-base64}`, `{secret-chunk}`: the same as one HTTP chunk). Each
 * code unit of a text is one byte. Where lengths stand in the bytes, a function fills the words in and then encodes.
 */
export type Bytes = string | Buffer | ((fill: (text: string) => string) => Buffer);

/** What a target has to have so that a case says something about it. */
export type Feature =
  /** The client's side speaks TLS. */
  | "tls"
  /** The target verifies the certificate of the server behind it. */
  | "upstream-tls"
  /** The client's credential is a stand-in that the target replaces. */
  | "credential"
  /** Only `GET /v1/models/**` and `POST /v1/messages` (also as WebSocket `GET /v1/socket`) are allowed. */
  | "rules"
  /** Where a client connects to and the server name say which host is meant. */
  | "identity"
  /** Replies are searched for the real credential. */
  | "redaction"
  | "dns"
  /** HTTP/2 for clients. */
  | "h2"
  /** HTTP/2 towards the server. */
  | "h2-upstream"
  | "websocket"
  /** CONNECT and absolute targets at a port of its own. */
  | "proxy"
  /** Its process is on this machine, so that its memory can be measured. */
  | "pid";

/** One thing a client does. After the last one it waits for the end (see `Expect.answers`). */
export type Step =
  | { readonly send: Bytes; readonly times?: number; readonly everyMs?: number }
  /** Byte by byte, the last one too. */
  | { readonly trickle: Bytes; readonly everyMs: number }
  /** Until so many whole final answers are there, or the end. */
  | { readonly until: "answers"; readonly count: number }
  /** Until this text has come, or the end. */
  | { readonly until: "text"; readonly text: string }
  /** Until so many requests' heads are at the server, or the end. */
  | { readonly until: "upstream"; readonly count: number }
  /** Until everything sent was taken, or the end. */
  | { readonly until: "drained" }
  | { readonly act: "half-close" | "reset" | "renegotiate" | "stop-reading" | "read-on" }
  | { readonly act: "pause"; readonly ms: number };

/** How a client connects. */
export interface Via {
  /** Not at the target's usual port, but at its proxy port. */
  readonly proxy?: true;
  /**
   * There, by CONNECT to this authority with whatever lets a client in (`{proxy-auth}`), and then as anywhere else.
   * What the proxy answers, unless it is 200, is what the client gets.
   */
  readonly tunnel?: string;
  /** Sent in one piece with the CONNECT. */
  readonly behind?: string;
  /** `false`: bytes go out as they are, though the target speaks TLS. */
  readonly tls?: false;
  /** `null`: none is sent. `{other-name}` is the name of another granted host. */
  readonly serverName?: string | null;
  readonly alpn?: readonly string[];
  readonly versions?: readonly [
    "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3",
    "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3",
  ];
  /** Whose address is dialled. */
  readonly at?: "other" | "nobody" | "rebound";
}

/** What the server behind the target does once a request has come. */
export interface UpstreamScript {
  /** `head`: as soon as the head is there; `request`: once the body is, too; `connect`: with no request at all. */
  readonly on?: "connect" | "head" | "request";
  readonly steps: readonly UpstreamStep[];
  /** A certificate that nobody must trust. */
  readonly certificate?: "expired" | "wrong-name" | "other-authority" | "self-signed";
  /** What it speaks by ALPN; `http/1.1` if absent. */
  readonly alpn?: readonly string[];
  readonly version?: "TLSv1" | "TLSv1.1";
}

export type UpstreamStep =
  | { readonly send: Bytes; readonly times?: number; readonly everyMs?: number }
  | { readonly act: "end" | "reset" }
  | { readonly act: "pause"; readonly ms: number }
  /** Until the target has closed the connection. */
  | { readonly until: "closed" };

/**
 * What must hold. Always, without being said here: every request the server sees is well formed in
 * the strictest reading and for its own host; the secret never reaches a client, nor the phantom a head at the
 * server; nobody gets more answers than there were requests; a plain request right afterwards
 * works and gets its own answer.
 */
export interface Expect {
  /**
   * `refused`: the server sees nothing of it (or at most `upstream.most`), and each answer beyond
   * `served` is an error or the end of the connection.
   * `served`: all is answered by the server, so the case is a control.
   * `either`: refused, or passed on in a form that has one reading.
   * `failed`: the client gets an error or a cut, never what looks like a whole good answer.
   * `held`: only what always holds, and the bounds below.
   */
  readonly bot: "refused" | "served" | "either" | "failed" | "held";
  /** Answers to wait for; 1 if absent. */
  readonly answers?: number;
  /** Good answers that precede a refusal. */
  readonly served?: number;
  /** Requests that the server sees: at most (1 for `either` and `failed`, 0 for `refused`), exactly. */
  readonly most?: number;
  readonly exactly?: number;
  /** Never in any bytes that reach the server. */
  readonly neverUpstream?: readonly (string | RegExp)[];
  /** Never in the body of a request that reaches it. */
  readonly neverUpstreamBody?: readonly string[];
  /** In the bytes that reach the server. */
  readonly upstreamHas?: readonly (string | RegExp)[];
  /** Never, and surely, in what the client gets. */
  readonly neverBot?: readonly (string | RegExp)[];
  readonly botHas?: readonly (string | RegExp)[];
  /** By then it is answered or cut. 20 s if absent. */
  readonly withinMs?: number;
  /** What may come back to the client at the most. */
  readonly mostBytes?: number;
  /** What may reach the server at the most. */
  readonly mostUpstreamBytes?: number;
  /** By how much the target's memory may grow meanwhile (needs `pid`). */
  readonly mostMemoryMB?: number;
  /** The connections to the server that this made are closed once the client has gone. */
  readonly upstreamClosed?: true;
  /** It doesn't end; once the steps are done the client just goes away. */
  readonly leave?: true;
}

export interface Case {
  /** Unique in its group; `group/name` names it everywhere. */
  readonly name: string;
  /** One sentence. */
  readonly what: string;
  readonly side: "bot" | "upstream" | "dns";
  readonly needs?: readonly Feature[];
  readonly via?: Via;
  /** What the client does; a plain GET if absent. */
  readonly bot?: readonly Step[];
  /** What the server does; a plain answer to each whole request if absent. */
  readonly upstream?: UpstreamScript;
  /** Messages to the target's DNS instead of a connection. */
  readonly dns?: DnsCase;
  readonly expect: Expect;
  /** Beyond the outcome: one of these codes of Seawall's is what a refusal says. Other targets are not asked. */
  readonly codes?: readonly string[];
  /** Takes tens of seconds since a timeout is waited for; started first. */
  readonly slow?: true;
  /** Run with nothing beside it, since it measures memory or takes the whole target. */
  readonly alone?: true;
}

export interface DnsCase {
  readonly over: "udp" | "tcp";
  /** Over TCP: what is sent, lengths included. */
  readonly messages: readonly Buffer[];
  /** RCODEs of the answers there may be. None: there must not be an answer. */
  readonly rcodes: readonly number[];
  /** Answer records there may be at the most; 0 if absent. */
  readonly mostRecords?: number;
  /** How many bytes of answer one byte of question may bring; 4 if absent. */
  readonly mostAmplified?: number;
}

export interface Group {
  readonly name: string;
  readonly cases: readonly Case[];
}
