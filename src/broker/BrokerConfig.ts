import type {
  ChatNotifyPlan,
  DialPlan,
  InjectGrant,
  LimitsPlan,
  MintedSecret,
  ProgramGrant,
  SecretPlan,
  TcpGrant,
  TunnelGrant,
} from "../plan/index.ts";

/**
 * All the broker is told. It arrives over the supervisor's IPC channel, never on disk, and holds
 * phantoms, leaf certificates and gateway tokens, but no real secret: those the broker reads from
 * their stores itself.
 */
export interface BrokerConfig {
  readonly secrets: readonly SecretPlan[];
  /** Secrets that are made from others of `secrets`. */
  readonly minted?: readonly BrokerMint[];
  readonly vault: {
    readonly file: string;
    readonly identity: string;
    readonly passphrase?: string;
  };
  /** `$CREDENTIALS_DIRECTORY` of the deployment, whose files are looked at for changes. */
  readonly credentials?: string;
  /** Append-only JSONL file; its folder is the only one the broker may write to. */
  readonly audit: {
    readonly file: string;
    /** Bytes after which the file is compressed and put aside; 64 MiB if absent. */
    readonly rotateBytes?: number;
    /** PEM of the Ed25519 key that checkpoints are signed with; without it they are not signed. */
    readonly signingKey?: string;
  };
  /** Loopback port for OpenMetrics text, and the OTLP/HTTP collector that gets traces; both off if absent. */
  readonly telemetry?: { readonly metricsPort?: number; readonly traces?: string };
  /** How long a call waits for the owner's word; five minutes if absent. */
  readonly askMs?: number;
  /** Chats in which the owner is told that a call waits. */
  readonly notify?: readonly ChatNotifyPlan[];
  readonly bots: readonly BrokerBot[];
}

export interface BrokerIngress {
  readonly port: number;
  readonly token: string;
  readonly controlPage: boolean;
  /**
   * Host and port of the site that something on this machine passes on as it is, having ended TLS
   * (`tailscale serve`): visitors may name it in place of the loopback.
   */
  readonly site?: string;
}

export interface BrokerBot {
  readonly name: string;
  readonly grants: readonly BrokerGrant[];
  /** One leaf for all the hosts this bot may have TLS ended for, signed by the deployment's CA. */
  readonly certificate: { readonly chain: string; readonly key: string };
  /** Listener on the host's 127.0.0.1 through which the gateway is reached; a namespace without gateway has none. */
  readonly ingress?: BrokerIngress;
  /**
   * A listener of the bot at which the broker is an explicit proxy. Where the listener is not in a
   * namespace of the bot's own, `token` tells whose connection it is (Proxy-Authorization, Basic
   * or Bearer).
   */
  readonly proxy?: { readonly port: number; readonly token?: string };
  readonly unknownHosts?: "ask";
  readonly limits?: LimitsPlan;
}

export type BrokerGrant =
  | (Omit<InjectGrant, "phantom" | "dial"> & {
      readonly phantom: string;
      /** The other half of the phantom where the bot signs its calls; `phantom` is the key's id then. */
      readonly phantomSecret?: string;
      readonly dial?: BrokerDial;
    })
  | (Omit<TunnelGrant, "dial"> & { readonly dial?: BrokerDial })
  | (Omit<TcpGrant, "dial"> & { readonly dial?: BrokerDial })
  | (Omit<ProgramGrant, "dial"> & { readonly dial?: BrokerDial });

export type BrokerMint = Omit<MintedSecret, "dial"> & { readonly dial?: BrokerDial };

/** Like DialPlan, the CA file read: `ca` is PEM text. */
export type BrokerDial = Omit<DialPlan, "ca"> & { readonly ca?: string };
