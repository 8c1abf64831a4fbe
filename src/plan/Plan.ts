import type { CommandPlan } from "./CommandPlan.ts";

/**
 * The plan: a declaration fully resolved. It knows every bot, user, host, port, address, rule and
 * phantom shape, and no target's syntax, no path of this machine and no secret value.
 *
 * The same declaration gives the same plan byte for byte (invariant 7), so every list here is
 * sorted and nothing in it depends on time, machine or key order.
 */
export interface Plan {
  readonly version: 1;
  /** Sorted by name. Only secrets that some grant uses. */
  readonly secrets: readonly SecretPlan[];
  /** Sorted by name. Those that the broker has made; absent when there are none. */
  readonly minted?: readonly MintedSecret[];
  /** Sorted by name. */
  readonly bots: readonly BotPlan[];
  readonly approvals?: ApprovalsPlan;
  readonly audit?: { readonly rotateBytes?: number };
  readonly telemetry?: { readonly metricsPort?: number; readonly traces?: string };
  readonly autoUpdate?: AutoUpdatePlan;
}

/** How bots move to a newer OpenClaw by themselves. */
export interface AutoUpdatePlan {
  /** systemd.time(7), CALENDAR EVENTS. */
  readonly calendar: string;
  /** `pins`: a version that is pinned here already; `registry`: npm's newest, pinned when it is found. */
  readonly from: "pins" | "registry";
  /** A version of the registry is taken once it has been there for so many days. */
  readonly days: number;
}

/** How the owner learns of calls that wait for their word. */
export interface ApprovalsPlan {
  readonly notify: readonly NotifyPlan[];
  readonly waitMinutes?: number;
}

export type NotifyPlan =
  | { readonly by: "desktop" }
  /** A program on the host and its arguments; it gets the question as JSON on standard input. */
  | { readonly by: "command"; readonly command: readonly string[] }
  | ChatNotifyPlan;

/** A message that the broker sends to the owner by the grant of a bot: one POST. */
export interface ChatNotifyPlan {
  readonly by: "chat";
  readonly bot: string;
  readonly grant: string;
  /** Name of the chat, as the service has it. */
  readonly to: string;
  /** One of the grant's hosts. */
  readonly host: string;
  /** Path, with `{secret}` where `place` has it. */
  readonly path: string;
  readonly place: ChatPlace;
  /** JSON; a string that is `{text}` stands for the message. */
  readonly body: JsonObject;
  /** Only a reply that says `"ok": true` means that it was sent. */
  readonly saysOk?: true;
}

export type ChatPlace = Extract<Place, { in: "header" | "path" }>;

/** A secret's name and where its value lives. Never the value. */
export interface SecretPlan {
  readonly name: string;
  readonly source: SecretSource;
}

/**
 * One member per store in `src/secrets`. Paths are as the declaration has them: absolute, beginning
 * with `~/`, or relative to the declaration; the host makes them absolute.
 */
export type SecretSource =
  /** The embedded vault. */
  | { readonly store: "vault"; readonly key: string }
  /** A file that holds the value in the clear, as agenix and sops-nix make them at run time. */
  | { readonly store: "file"; readonly path: string }
  /**
   * A file encrypted with age. `identity` is an age identity file or an SSH private key; `passphrase`
   * opens that, or the file itself where there is no identity.
   */
  | {
      readonly store: "age";
      readonly path: string;
      readonly identity?: string;
      readonly passphrase?: SecretSource;
    }
  /** One key of a SOPS file with age recipients, as the steps to it. */
  | {
      readonly store: "sops";
      readonly path: string;
      readonly key: readonly string[];
      readonly identity: string;
      readonly passphrase?: SecretSource;
    }
  /** `$CREDENTIALS_DIRECTORY/name`, or a file made by systemd-creds under that name. */
  | { readonly store: "credential"; readonly name: string; readonly path?: string }
  /** The desktop's keyring (Secret Service). */
  | { readonly store: "keyring"; readonly service: string; readonly account: string }
  /** What a program prints. */
  | { readonly store: "exec"; readonly command: readonly string[] }
  /** A variable of the broker's environment. */
  | { readonly store: "env"; readonly variable: string };

/** A secret that no store holds: short-lived tokens that an endpoint makes for whoever has others. */
export interface MintedSecret {
  readonly name: string;
  readonly mint: MintPlan;
  /** Where tokens are asked for. */
  readonly endpoint: { readonly host: HostPlan; readonly path: string };
  readonly dial?: DialPlan;
}

/** How to ask. Other secrets are named, and all of them stand in `Plan.secrets`. */
export type MintPlan =
  /** RFC 6749 section 6 where there is a refresh token, else section 4.4. */
  | {
      readonly kind: "oauth2";
      readonly clientId: string;
      readonly clientSecret?: string;
      readonly clientAuthentication: "body" | "basic";
      readonly refreshToken?: string;
      readonly scopes: readonly string[];
      readonly parameters: Readonly<Record<string, string>>;
    }
  /** RFC 7523, as Google has it. */
  | {
      readonly kind: "google-service-account";
      readonly key: string;
      readonly scopes: readonly string[];
      readonly subject?: string;
    }
  | {
      readonly kind: "github-app";
      readonly appId: string;
      readonly privateKey: string;
      readonly repositories?: readonly string[];
      readonly permissions?: Readonly<Record<string, string>>;
    };

export interface BotPlan {
  readonly name: string;
  /** System user for targets that make one: `seawall-<bot>`. */
  readonly user: string;
  readonly openclaw: OpenClawPlan;
  /** Names of the commands that exist inside the wall, sorted. */
  readonly commands: readonly string[];
  /** Sorted by name. */
  readonly grants: readonly GrantPlan[];
  /** TCP ports the broker listens on inside the bot's namespace, ascending. DNS (53) comes on top. */
  readonly ports: readonly number[];
  /** Environment variables that carry phantoms, sorted by variable. */
  readonly environment: readonly PhantomVariable[];
  /** What its wall may go without (invariant 4), sorted. */
  readonly concessions: readonly Concession[];
  /** Port of the gateway on the host's 127.0.0.1. */
  readonly ingress: { readonly port: number; readonly controlPage: boolean };
  /** How it is reached from outside of this machine; not at all where absent. */
  readonly expose?: ExposePlan;
  /** Port inside the wall at which the broker also is an explicit proxy (RFC 9110 section 9.3.6). */
  readonly proxyPort?: number;
  /** `ask`: a host that no grant has is put to the owner, and passed through unopened if granted. Absent: refused. */
  readonly unknownHosts?: "ask";
  /** Bounds on all the bot's calls together, beside those of its grants. */
  readonly limits?: LimitsPlan;
  readonly resources?: ResourcesPlan;
}

/** One of the two. */
export interface ExposePlan {
  /** Host name of a site of its own, with TLS, in front of the ingress. */
  readonly domain?: string;
  /** Reached from the tailnet that the machine is in, and from nowhere else. */
  readonly tailscale?: true;
}

/** A layer of the wall that a host may lack; docs/wall.md says what is left then. */
export type Concession = "no-landlock" | "no-user-namespaces";

/** What a bot may use up of the machine; absent = not limited. */
export interface ResourcesPlan {
  /** Bytes, of all its processes together. */
  readonly memory?: number;
  /** Processes and threads together. */
  readonly processes?: number;
  /** Of each process. */
  readonly openFiles?: number;
  /** Bytes. */
  readonly fileSize?: number;
  /** Processors' worth of time. */
  readonly cpu?: number;
}

/** What the rendered OpenClaw configuration depends on. */
export interface OpenClawPlan {
  /** Exact pinned version, as `2026.9.6`. */
  readonly version: string;
  /** `provider/model`. */
  readonly model: string;
  /** Channel plugins that are not bundled, as `@openclaw/mattermost`, sorted. */
  readonly plugins: readonly string[];
  /** Channels that are on, sorted by name. */
  readonly channels: readonly ChannelPlan[];
  /** OpenClaw tools the agent may call, sorted; empty means OpenClaw's `minimal` profile. */
  readonly tools: readonly string[];
  /** Free-form OpenClaw settings, merged deeply under what Seawall sets. */
  readonly settings: JsonObject;
  /** Agents come and go while it runs: what it is told of them is read from a folder of its wall. */
  readonly agents?: true;
  /** New agents' tools have walls of their own unless somebody says otherwise. */
  readonly agentTools?: "wall" | "podman";
  /** Image that agents' commands may run in: an id or a name with a digest. Absent where none may. */
  readonly agentImage?: string;
}

export interface ChannelPlan {
  /** OpenClaw's name for it: `telegram`. */
  readonly channel: string;
  /** Variable that holds the channel's phantom. */
  readonly variable: string;
  /** That of its second token, where it has two. */
  readonly secondVariable?: string;
  /** Senders the bot listens to, as the channel identifies them, sorted. */
  readonly allowFrom: readonly string[];
  /** Origin of a service that everybody runs at a host of their own. */
  readonly url?: string;
}

export interface PhantomVariable {
  readonly variable: string;
  readonly grant: string;
}

export type GrantPlan = InjectGrant | TunnelGrant | TcpGrant | ProgramGrant;

/** The broker ends TLS, checks rules and replaces the phantom by the secret. */
export interface InjectGrant {
  readonly kind: "inject";
  readonly name: string;
  /** Catalogue entry, or the grant's own name for a custom service. */
  readonly service: string;
  readonly hosts: readonly HostPlan[];
  /** Name in `Plan.secrets`; empty for a service that takes no credential. */
  readonly secret: string;
  readonly phantom: PhantomShape;
  /** Where a credential may stand; the phantom anywhere else is refused. */
  readonly places: readonly Place[];
  /** Calls that may be made with the credential. Nothing else is forwarded. */
  readonly rules: readonly Rule[];
  /** Calls that the owner is asked about each time. Wins over `rules`. */
  readonly ask?: readonly Rule[];
  /** Calls that are never made. Wins over `ask` and `rules`, with and without the credential. */
  readonly deny?: readonly Rule[];
  /** Calls that may also be made without any credential. */
  readonly anonymous: readonly Rule[];
  /**
   * Value of WWW-Authenticate with which a call without a credential is answered by 401 instead of
   * 403: git, among others, sends its credential only when it is asked for one.
   */
  readonly challenge?: string;
  readonly limits?: LimitsPlan;
  readonly content?: ContentPlan;
  /** How usage stands in replies, for `tokensPerDay` and `moneyPerDay`. */
  readonly usage?: UsageFormat;
  /** Origin at which git reaches the service; the bot's git is set up to send the phantom there. */
  readonly git?: string;
  /** The protocol, where it isn't HTTP: the phantom becomes the secret in its login. `places` and `rules` are empty. */
  readonly login?: LoginPlan;
  /** What exists inside for agents that have no other client. */
  readonly command?: CommandPlan;
  readonly dial?: DialPlan;
}

export interface LoginPlan {
  readonly protocol: "imap" | "smtp" | "postgres";
  /** Whether the connection begins with TLS, as at the ports made for that (RFC 8314), or goes over to it. */
  readonly tls: "first" | "later";
}

/** A service that is code of the broker's own, asked by its command alone. */
export interface ProgramGrant {
  readonly kind: "program";
  readonly name: string;
  readonly service: string;
  /** None: it is nowhere on the bot's network. */
  readonly hosts: readonly HostPlan[];
  readonly command: CommandPlan;
  /** What the grant says it may do, by the declaration's own keys. */
  readonly options: JsonObject;
  readonly limits?: LimitsPlan;
  readonly dial?: DialPlan;
}

/** Bounds per grant and bot. A day is a calendar day in UTC. */
export interface LimitsPlan {
  readonly callsPerMinute?: number;
  readonly concurrentCalls?: number;
  /** Body bytes both ways; for tunnels all bytes. */
  readonly bytesPerDay?: number;
  /** Tokens in and out together, as replies report them. */
  readonly tokensPerDay?: number;
  /** Millionths of a US dollar, by the price table of `src/broker/gate`. */
  readonly microdollarsPerDay?: number;
}

/** Whose shape of usage numbers a reply has. */
export type UsageFormat = "anthropic" | "openai" | "gemini";

/** Checks on what a bot says to people through a channel, before it leaves. */
export interface ContentPlan {
  /** The calls that carry messages and where in their JSON, form or multipart body. A call that none fits isn't checked. */
  readonly messages: readonly MessageShape[];
  /** Longest text, in UTF-8 bytes. */
  readonly maxBytes?: number;
  /** Hosts that links may lead to, as `example.com` or `*.example.com`. Absent: any. */
  readonly linkHosts?: readonly string[];
  /** What happens to a message with another link. Refused when absent. */
  readonly otherLinks?: "ask" | "refuse";
  /** Previews are switched off as the shape says, since making one calls the link with what it carries. */
  readonly previews: "off" | "unchanged";
}

export interface MessageShape {
  readonly method: string;
  /** As in `Rule`. */
  readonly path: string;
  /** JSON pointers (RFC 6901) of the texts; the same names as top-level fields of forms. */
  readonly texts: readonly string[];
  /** What switches previews off: JSON pointer and value, set over whatever the bot wrote. */
  readonly previewOff?: readonly { readonly pointer: string; readonly value: Json }[];
}

/** The broker checks the SNI and passes the encrypted bytes through. No secret is involved. */
export interface TunnelGrant {
  readonly kind: "tunnel";
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  readonly limits?: LimitsPlan;
  readonly dial?: DialPlan;
}

/**
 * The broker passes all bytes through as they are: IMAP, SMTP, PostgreSQL, SSH. The destination is
 * named by the address alone, which its name was answered with. No secret is involved.
 */
export interface TcpGrant {
  readonly kind: "tcp";
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  readonly limits?: LimitsPlan;
  readonly dial?: DialPlan;
}

/** One host name (or address literal) as the bot sees it. */
export interface HostPlan {
  /** Lower-case A-label without trailing dot, or an IP literal without brackets. */
  readonly name: string;
  readonly port: number;
  readonly scheme: "https" | "http" | "tcp";
  /** The address the broker's DNS answers with. For an IP literal of that family, itself. */
  readonly v4?: string;
  readonly v6?: string;
}

/** Where to dial instead of the name's own address, and whom to trust there. */
export interface DialPlan {
  /** IP address or host name. */
  readonly host?: string;
  readonly port?: number;
  /** PEM file with the CAs to trust for this grant instead of the public ones, as declared. */
  readonly ca?: string;
  /** The way out: `http://host:port` (CONNECT) or `socks5://host:port`. The proxy resolves nothing: it is given a checked address. */
  readonly proxy?: string;
  /** Networks the host's name may resolve to though they aren't public, as `10.0.0.0/8`. */
  readonly networks?: readonly string[];
  /** Secret with a client certificate and its key, PEM. */
  readonly clientCertificate?: string;
}

/** A method and path pattern as in `GET /calendar/v3/**`. */
export interface Rule {
  /** Upper case, or `*`. */
  readonly method: string;
  /** Segments may be `*` (one segment) or `**` (any number, last only). The credential in a path is `{secret}`. */
  readonly path: string;
  /** Only for this host of the grant, where it has several. */
  readonly host?: string;
  /** The query must hold each of these names exactly once, with this value. */
  readonly query?: Readonly<Record<string, string>>;
  /** What the body must say. A body that can't be read that way doesn't fit. */
  readonly body?: BodyRule;
}

/** Names may hold `*` for any run of characters. */
export type BodyRule =
  /** Every operation of the document must be of this type and have such a name. */
  | {
      readonly kind: "graphql";
      readonly type: "query" | "mutation" | "subscription" | "*";
      readonly name: string;
      /** Every field at the root must have such a name. An operation's own name is the bot's choice; its fields are not. */
      readonly field?: string;
    }
  /** Every request or notification of the message or batch. */
  | { readonly kind: "json-rpc"; readonly method: string }
  /** `tools/call` of such a tool; all else of the protocol that calls no tool also fits. */
  | { readonly kind: "mcp"; readonly tool: string };

/** A place in a call where a service expects its credential. */
export type Place =
  /** The header's value is `prefix` + credential. Header names are lower case. */
  | { readonly in: "header"; readonly name: string; readonly prefix: string }
  /** The path starts with `template`, where `{secret}` stands for the credential: `/bot{secret}`. */
  | { readonly in: "path"; readonly template: string }
  /** `Authorization: Basic`, the credential being this half of it. */
  | { readonly in: "basic"; readonly part: "user" | "password" }
  /** The whole call, signed by a key of AWS (Signature Version 4) for this region and service. */
  | { readonly in: "sigv4"; readonly region: string; readonly service: string }
  | { readonly in: "cookie"; readonly name: string }
  | { readonly in: "query"; readonly name: string }
  /** A field of an application/x-www-form-urlencoded body. */
  | { readonly in: "form"; readonly name: string }
  /** A part of a multipart/form-data body. */
  | { readonly in: "multipart"; readonly name: string }
  /** RFC 6901, in a JSON body. The credential is `prefix` + secret there. */
  | { readonly in: "json"; readonly pointer: string; readonly prefix?: string }
  /**
   * RFC 6901, in a WebSocket text frame from the bot that is JSON and has all the values of `where`.
   * Connecting by such a grant needs no credential in the upgrade request itself.
   */
  | {
      readonly in: "websocket";
      readonly pointer: string;
      readonly prefix?: string;
      readonly where: readonly { readonly pointer: string; readonly equals: string | number }[];
    };

/** A phantom is the concatenation of its parts; each random part is derived, see `derivePhantom`. */
export type PhantomShape = readonly PhantomPart[];
export type PhantomPart =
  { readonly text: string } | { readonly alphabet: PhantomAlphabet; readonly length: number };
export type PhantomAlphabet = "digits" | "hex" | "base32" | "alphanumeric" | "base64url";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
