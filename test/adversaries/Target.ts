import type { Feature } from "./Case.ts";
import type { Upstream } from "./Upstream.ts";
import type { Words } from "./words.ts";

/** A proxy to be attacked, started or only pointed at. */
export interface Target {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** Independent ways through it, each with a server of its own behind it: cases run at once on them. */
  readonly lanes: readonly Lane[];
  readonly dns?: DnsAddress;
  /** Where it is an explicit proxy. */
  readonly proxy?: { readonly address: string; readonly port: number };
  /** Its process on this machine: its descriptors and its memory are looked at. */
  readonly pid?: number;
  /** Everything it has written: searched for what must not be in it. */
  written?(): string;
  close(): Promise<void>;
}

export interface DnsAddress {
  readonly address: string;
  readonly udpPort: number;
  readonly tcpPort: number;
  /** A name it has an IPv4 address for. */
  readonly granted: string;
}

export interface Lane {
  /** Where a client connects to. */
  readonly address: string;
  readonly port: number;
  /** Other addresses of this lane, see `Via.at`. */
  readonly others: Readonly<Partial<Record<"other" | "nobody" | "rebound", string>>>;
  /** The client's side speaks TLS, to be trusted by this CA (absent: nothing is checked). */
  readonly tls: { readonly ca?: string } | undefined;
  /** Server name for TLS. */
  readonly name: string;
  /** Header lines of a plain request, each ending in CRLF: Host and credential. */
  readonly plainHead: string;
  readonly words: Words;
  readonly upstream: Upstream;
}
