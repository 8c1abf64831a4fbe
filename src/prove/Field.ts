/**
 * What an attacker is told: where everything lies outside that is worth having. It is all there is
 * to know, more than a real one would; what is planted holds markers, whose text it isn't told.
 * Whoever runs the attacks writes it, and the runner inside reads it.
 */
export interface Field {
  /** A folder of the attacker's own, writable inside. */
  readonly home: string;
  /** The addon with raw system calls, inside. */
  readonly addon: string;
  readonly architecture: "x86_64" | "aarch64";
  /** Numbers of system calls by name, as this machine has them. */
  readonly syscalls: Readonly<Record<string, number>>;
  readonly secrets: {
    /** Planted keys of an owner, readable by everybody. */
    readonly owner: readonly string[];
    readonly vault: readonly string[];
    readonly authority: readonly string[];
    /** Keys that phantoms and the record are made with, tokens, the control channel's address. */
    readonly deployment: readonly string[];
    /** What systems keep to themselves: password hashes, keys of the host. */
    readonly system: readonly string[];
  };
  /** Processes outside, by the pids that they have there. */
  readonly processes: readonly { readonly pid: number; readonly what: string }[];
  /** A key in the keyrings of whoever started this; absent where none could be planted. */
  readonly keyring?: { readonly serial: number; readonly description: string };
  /** Of System V shared memory that holds a marker; absent where none could be planted. */
  readonly sharedMemory?: number;
  readonly sharedFile?: string;
  /** Stand-ins on the host's loopback: all of them answer with a marker. */
  readonly loopback: { readonly tcp: number; readonly tcp6?: number; readonly udp: number };
  /** Unix sockets outside, abstract ones with an @ in front. Stand-ins answer with a marker. */
  readonly sockets: {
    readonly plain: readonly Place[];
    readonly abstract: readonly Place[];
    readonly docker: readonly Place[];
    readonly systemBus: readonly Place[];
    readonly sessionBus: readonly Place[];
    readonly x11: readonly Place[];
    readonly agents: readonly Place[];
    readonly supervisor: readonly Place[];
    readonly services: readonly Place[];
  };
  /** Places where something written is run later, or trusted, by somebody else. */
  readonly places: {
    readonly shell: readonly Place[];
    readonly cron: readonly Place[];
    readonly units: readonly Place[];
    readonly hooks: readonly Place[];
    readonly editor: readonly Place[];
    readonly desktop: readonly Place[];
    readonly keys: readonly Place[];
    readonly declaration: readonly Place[];
    readonly deployment: readonly Place[];
    readonly record: readonly Place[];
    readonly programs: readonly Place[];
    readonly system: readonly Place[];
  };
  /** A program of root's with the set-uid bit that says whether it runs as root. */
  readonly setuid?: string;
  /** Devices and files of the machine's memory that are there outside. */
  readonly devices: readonly string[];
  readonly memoryFiles: readonly string[];
  /** Programs that are there outside and not granted. */
  readonly ungranted: readonly string[];
  /** Programs that are granted, as paths inside. */
  readonly granted: readonly string[];
  /** Of those, the ones that are many programs in one. */
  readonly multicall: readonly string[];
  /** Its own configuration, inside, that it must not change. */
  readonly configuration: readonly string[];
  readonly neighbour: Neighbour;
  /** Absent where there is no broker. */
  readonly broker?: BrokerField;
  /** Bounds, so that what gets through doesn't harm the host. */
  readonly bounds: {
    readonly processes: number;
    readonly memory: number;
    readonly descriptors: number;
    readonly fileSize: number;
    readonly logBytes: number;
  };
}

/** Something outside. What is planted is written to; what is real is opened or connected to and no more. */
export interface Place {
  readonly path: string;
  readonly planted: boolean;
}

/** Somebody else who lives here: another bot, or for a command another program of the same user. */
export interface Neighbour {
  readonly files: readonly string[];
  readonly pids: readonly number[];
  /** Its service on the host's loopback. */
  readonly port: number;
  /** Name of its abstract socket. */
  readonly abstract: string;
  /** What it holds in place of its credential; absent where there is no broker. */
  readonly phantom?: string;
}

/** How granted calls go, and what to try in their place. */
export interface BrokerField {
  /** A call with a credential that is allowed; absent without such a grant. */
  readonly call?: {
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    readonly method: string;
    /** With the phantom in it, where it belongs there. */
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly phantom: string;
  };
  /** Every host that is granted, as `name:port`. */
  readonly hosts: readonly string[];
  /** TCP ports that lead to the broker. */
  readonly ports: readonly number[];
  readonly proxyPort?: number;
  /** Absent for a bot without client commands. */
  readonly commands?: CommandField;
  /** Of the ingress, on the host's 127.0.0.1. */
  readonly ingressPort?: number;
}

/** The client commands of a bot, and what to ask of them that they must not do. */
export interface CommandField {
  /** Where the broker listens for them, inside. */
  readonly socket: string;
  /** The commands that are granted, and their programs inside. */
  readonly programs: readonly { readonly name: string; readonly path: string }[];
  /** A call by method and path that its grant allows. */
  readonly call?: { readonly command: string; readonly method: string; readonly path: string };
  /** A method that no rule of that grant has. */
  readonly refusedMethod?: string;
  /** An operation with an input that stands in its call's path; `others` are the words it needs beside that. */
  readonly segment?: {
    readonly command: string;
    readonly operation: string;
    readonly input: string;
    readonly others: readonly string[];
  };
  readonly bridge?: {
    readonly own: string;
    /** Whom it may write to. */
    readonly to: readonly string[];
    /** Another bot with a bridge, that it may not write to. */
    readonly other?: string;
    /** A message with a marker that waits for that one. */
    readonly waiting?: string;
  };
}
