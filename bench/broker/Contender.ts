/** One proxy that does the broker's job for the bench: checks the phantom, swaps the header, keeps connections upstream. */
export interface Contender {
  readonly name: string;
  /** What has to be installed for it, when `start` throws `MissingError`. */
  readonly from: string;
  /** What of the job it doesn't do, for the table. */
  readonly lacks?: string;
  start(job: Job): Promise<RunningContender>;
}

/** What a contender is set up for. */
export interface Job {
  /** TLS on both sides, or on none. */
  readonly tls: boolean;
  readonly folder: string;
  readonly phantom: string;
  readonly secret: string;
  /** 127.0.0.1 ports of the host behind it. */
  readonly upstream: { readonly plain: number; readonly tls: number; readonly streams: number };
  /** For the address 127.0.0.1 and the like: the proxy's own certificate and the CA of the host's. */
  readonly certificate: { readonly chain: string; readonly key: string };
  readonly upstreamCa: string;
}

export interface RunningContender {
  /** The process, its helpers included, whose time and memory count. */
  readonly pids: () => readonly number[];
  /** Where to send a call whose path is `/v1/messages`. */
  readonly address: string;
  readonly port: number;
  /** What the request line names before the path: `http://host:port` for an explicit proxy. */
  readonly prefix?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where streams are to be had; none if it can't be set up for them here. */
  readonly streams: readonly StreamTarget[];
  stop(): Promise<void>;
}

/** The contender's program isn't on this machine. */
export class MissingError extends Error {}

export interface StreamTarget {
  readonly address: string;
  readonly port: number;
  readonly prefix?: string;
  readonly headers: Readonly<Record<string, string>>;
}
