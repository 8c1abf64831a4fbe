/**
 * A profile: what a command behind the wall may see, reach and run, as a file of the user's says
 * it or as Seawall brings it. Every single rule keeps where it came from, so that `seawall why`
 * can name it.
 */
export interface Profile {
  readonly name: string;
  readonly source: ProfileSource;
  readonly title?: string;
  readonly description?: string;
  readonly version?: string;
  /** Names of the profiles it builds on, in order. */
  readonly extends: readonly Entry<string>[];
  readonly filesystem: Readonly<Record<FilesystemKey, readonly Entry<string>[]>>;
  readonly network: {
    readonly block?: Entry<boolean>;
    readonly allowDomain: readonly Entry<string>[];
    readonly denyDomain: readonly Entry<string>[];
    /** Names of services. */
    readonly credentials: readonly Entry<string>[];
    readonly custom: readonly Entry<CustomCredential>[];
    /** Ports inside that the host's loopback reaches. */
    readonly listenPort: readonly Entry<number>[];
    /** Ports that may be bound inside, for nobody else. */
    readonly bind: readonly Entry<number>[];
    readonly proxyPort?: Entry<number>;
  };
  /** Secrets by the variable that their phantom goes into. */
  readonly environmentCredentials: readonly Entry<EnvironmentCredential>[];
  readonly workdir?: Entry<WorkdirAccess>;
  readonly exec: {
    /** Names of commands, paths of programs, or folders of them. */
    readonly allow: readonly Entry<string>[];
    /** Folders whose files may be mapped as code. */
    readonly libraries: readonly Entry<string>[];
  };
  readonly environment: {
    /** Names of variables that are passed on; one may end in `*`. */
    readonly allow: readonly Entry<string>[];
    readonly set: readonly Entry<{ readonly name: string; readonly value: string }>[];
  };
  readonly limits: {
    /** Bytes. */
    readonly memory?: Entry<number>;
    readonly processes?: Entry<number>;
    readonly openFiles?: Entry<number>;
    /** Bytes. */
    readonly fileSize?: Entry<number>;
  };
  /** What the wall may go without where the host doesn't have it. */
  readonly concessions: readonly Entry<ConcessionName>[];
}

/** As the wall names them (src/wall/WallSpec.ts). */
export const CONCESSIONS = ["no-landlock", "no-user-namespaces"] as const;
export type ConcessionName = (typeof CONCESSIONS)[number];

export type ProfileSource =
  { readonly kind: "built-in" } | { readonly kind: "file"; readonly file: string };

/** One thing a profile says, and where it says it. */
export interface Entry<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** Where a rule stands. */
export type Origin =
  | {
      readonly kind: "profile";
      readonly profile: string;
      /** Absent for built-in ones. */
      readonly file?: string;
      readonly path: readonly (string | number)[];
    }
  | {
      readonly kind: "declaration";
      readonly file: string;
      readonly path: readonly (string | number)[];
    }
  | { readonly kind: "flag"; readonly flag: string }
  /** What every wall has, whoever asks. */
  | { readonly kind: "always"; readonly what: string };

export const FILESYSTEM_KEYS = [
  "allow",
  "read",
  "write",
  "allow_file",
  "read_file",
  "write_file",
  "deny",
  "protect",
  "create",
  "bypass_protection",
  "suppress_save_prompt",
] as const;

/**
 * `deny` is not there whatever else is allowed; `protect` may be read and not written, inside of what
 * may be written; `create` is `allow` for a folder that is made when it is not there. `bypass_protection` lifts the
 * protection of the owner's keys and settings; `suppress_save_prompt` keeps a path out of what is offered.
 */
export type FilesystemKey = (typeof FILESYSTEM_KEYS)[number];

export type WorkdirAccess = "none" | "read" | "write" | "readwrite";

/** A service that the catalogue doesn't have. */
export interface CustomCredential {
  readonly name: string;
  /** Origin: `https://api.example.com`. */
  readonly upstream: string;
  /** Name of the secret. */
  readonly secret: string;
  /** Where the credential stands in a call. */
  readonly place:
    | { readonly header: string; readonly prefix: string }
    | { readonly query: string }
    | { readonly path: string }
    | { readonly basic: "user" | "password" };
  readonly variable: string;
  /** `METHOD /path`; everything if the profile says nothing. */
  readonly allow: readonly string[];
}

export interface EnvironmentCredential {
  readonly secret: string;
  readonly variable: string;
}
