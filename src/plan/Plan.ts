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
  /** Sorted by name. */
  readonly bots: readonly BotPlan[];
}

/** A secret's name and where its value lives. Never the value. */
export interface SecretPlan {
  readonly name: string;
  readonly source: SecretSource;
}

/** One member per store in `src/secrets`. */
export type SecretSource = { readonly store: "vault"; readonly key: string };

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
}

/** A layer of the wall that a host may lack. The others have none to take their place. */
export type Concession = "no-landlock";

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
}

export interface ChannelPlan {
  /** OpenClaw's name for it: `telegram`. */
  readonly channel: string;
  /** Variable that holds the channel's phantom. */
  readonly variable: string;
  /** Senders the bot listens to, as the channel identifies them, sorted. */
  readonly allowFrom: readonly string[];
}

export interface PhantomVariable {
  readonly variable: string;
  readonly grant: string;
}

export type GrantPlan = InjectGrant | TunnelGrant;

/** The broker ends TLS, checks rules and replaces the phantom by the secret. */
export interface InjectGrant {
  readonly kind: "inject";
  readonly name: string;
  /** Catalogue entry, or the grant's own name for a custom service. */
  readonly service: string;
  readonly hosts: readonly HostPlan[];
  /** Name in `Plan.secrets`. */
  readonly secret: string;
  readonly phantom: PhantomShape;
  /** Where a credential may stand; the phantom anywhere else is refused. */
  readonly places: readonly Place[];
  /** Calls that may be made with the credential. Nothing else is forwarded. */
  readonly rules: readonly Rule[];
  /** Calls that may also be made without any credential. */
  readonly anonymous: readonly Rule[];
  readonly dial?: DialPlan;
}

/** The broker checks the SNI and passes the encrypted bytes through. No secret is involved. */
export interface TunnelGrant {
  readonly kind: "tunnel";
  readonly name: string;
  readonly hosts: readonly HostPlan[];
  readonly dial?: DialPlan;
}

/** One host name (or address literal) as the bot sees it. */
export interface HostPlan {
  /** Lower-case A-label without trailing dot, or an IP literal without brackets. */
  readonly name: string;
  readonly port: number;
  readonly scheme: "https" | "http";
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
}

/** A method and path pattern as in `GET /calendar/v3/**`. */
export interface Rule {
  /** Upper case, or `*`. */
  readonly method: string;
  /** Segments may be `*` (one segment) or `**` (any number, last only). The credential in a path is `{secret}`. */
  readonly path: string;
}

/** A place in a call where a service expects its credential. */
export type Place =
  /** The header's value is `prefix` + credential. Header names are lower case. */
  | { readonly in: "header"; readonly name: string; readonly prefix: string }
  /** The path starts with `template`, where `{secret}` stands for the credential: `/bot{secret}`. */
  | { readonly in: "path"; readonly template: string };

/** A phantom is the concatenation of its parts; each random part is derived, see `derivePhantom`. */
export type PhantomShape = readonly PhantomPart[];
export type PhantomPart =
  { readonly text: string } | { readonly alphabet: PhantomAlphabet; readonly length: number };
export type PhantomAlphabet = "digits" | "hex" | "alphanumeric" | "base64url";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
