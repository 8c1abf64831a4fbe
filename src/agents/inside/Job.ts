/** What the program inside the wall is asked, and answers; it runs on what a bot may have written. */

/** Where an agent's repository is. */
export type RepositoryPlace =
  /** `api` is an origin with the API's path; `web` one from which repositories are cloned. */
  | {
      readonly kind: "gitea" | "github";
      readonly api: string;
      readonly web: string;
      readonly owner: string;
      /** Variable with the phantom. */
      readonly variable: string;
    }
  /** A bare repository, at this path. */
  | { readonly kind: "path"; readonly path: string };

/** Where an agent's channel is. */
export type ChannelPlace =
  | {
      readonly kind: "mattermost";
      readonly api: string;
      readonly variable: string;
      readonly team: string;
      readonly members: readonly string[];
      readonly private: boolean;
    }
  | {
      readonly kind: "discord";
      readonly api: string;
      readonly variable: string;
      readonly server: string;
      readonly members: readonly string[];
    };

/** A file that is put into a workspace; `base64` is what is in it. */
export interface GivenFile {
  readonly path: string;
  readonly base64: string;
  readonly executable?: true;
}

export interface MadeRepository {
  /** Not there before, as far as the mark says. */
  readonly created: boolean;
  /** Was archived by an earlier deletion. */
  readonly restored: boolean;
  /** For git. */
  readonly url: string;
}

export interface MadeChannel {
  readonly id: string;
  readonly created: boolean;
  readonly restored: boolean;
  /** Ids of those that agents listen to there. */
  readonly members: readonly string[];
}

/** Where a workspace and its history are. The history lies where the bot can't write. */
export interface Workspace {
  readonly agent: string;
  /** The bot's home; nothing is followed out of it. */
  readonly home: string;
  /** Below `home`. */
  readonly folder: string;
  readonly git: string;
  readonly remote: string;
  /** Variable with the phantom that git sends; none where it needs none. */
  readonly variable?: string;
}

/** Something that stays in the workspace and is not committed. */
export interface Held {
  readonly path: string;
  readonly why: string;
}

export interface SyncReport {
  /** First lines of the commits that were made. */
  readonly commits: readonly string[];
  /** Files that came from the remote. */
  readonly pulled: number;
  readonly pushed: boolean;
  readonly held: readonly Held[];
  /** The branch that the workspace's own commits went to, as they don't go together with the remote's. */
  readonly conflict?: string;
  /** The remote's history isn't the one that was there before. */
  readonly rewritten?: true;
  /** The workspace was gone, and is back from the last commit. */
  readonly restored?: true;
  /** What could not be done this time, in words. */
  readonly failed?: string;
}

/** Each kind of job: what it takes, and what it gives. */
export interface Jobs {
  readonly "make-repository": {
    readonly takes: {
      readonly place: RepositoryPlace;
      readonly name: string;
      readonly mark: string;
      /** Take up one that somebody else made. */
      readonly existing: boolean;
    };
    readonly gives: MadeRepository;
  };
  readonly "drop-repository": {
    readonly takes: {
      readonly place: RepositoryPlace;
      readonly name: string;
      /** Whose it must be; anybody's if absent. */
      readonly mark?: string;
      readonly how: "archive" | "delete";
    };
    readonly gives: { readonly dropped: boolean };
  };
  readonly "make-channel": {
    readonly takes: { readonly place: ChannelPlace; readonly name: string; readonly mark: string };
    readonly gives: MadeChannel;
  };
  readonly "drop-channel": {
    readonly takes: {
      readonly place: ChannelPlace;
      readonly name: string;
      readonly id?: string;
      readonly mark?: string;
    };
    readonly gives: { readonly dropped: boolean };
  };
  /** Fills it, commits that, and pushes: one program, since each takes longer to start than it works. */
  readonly "begin-workspace": {
    readonly takes: {
      readonly workspace: Workspace;
      /** Put in where nothing is yet. */
      readonly template: readonly GivenFile[];
      /** Put in whatever is there. */
      readonly shared: readonly GivenFile[];
      /** The folder may be there: an earlier run made it. */
      readonly again: boolean;
      /** As for `sync`. */
      readonly largest: number;
      readonly title: string;
    };
    readonly gives: SyncReport;
  };
  readonly "drop-workspace": {
    readonly takes: {
      readonly workspace: Pick<Workspace, "home" | "folder">;
      /** Where it is moved to, below `home`, instead of being removed. */
      readonly keepAs?: string;
    };
    readonly gives: { readonly dropped: boolean };
  };
  readonly sync: {
    readonly takes: {
      readonly workspace: Workspace;
      readonly shared: readonly GivenFile[];
      /** Bytes; a larger file is held back. */
      readonly largest: number;
      /** What the commit says where it isn't said by the files. */
      readonly title?: string;
    };
    readonly gives: SyncReport;
  };
  readonly look: {
    readonly takes: {
      readonly home: string;
      readonly agents: readonly { readonly name: string; readonly folder: string }[];
    };
    /** Milliseconds since the epoch of the last thing that an agent wrote, by name. */
    readonly gives: { readonly active: Readonly<Record<string, number>> };
  };
}

export type JobKind = keyof Jobs;

export type Job = {
  [Kind in JobKind]: { readonly do: Kind } & Jobs[Kind]["takes"];
}[JobKind];

/** Why a job could not be done. */
export type JobFault =
  /** The server can't be reached, or is out of order. */
  | "unreachable"
  /** The server says no. */
  | "refused"
  /** It is there, and isn't ours. */
  | "exists"
  | "not-there"
  | "disk"
  | "workspace"
  | "git";

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: JobFault; readonly message: string };
